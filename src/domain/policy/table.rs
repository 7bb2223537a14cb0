//! The table of a policy's keys (contract, section 4). Every key is defined only here.
//!
//! A row defines a key: two lines of documentation; its field, with a different JSON name in brackets; its type, and
//! after `as` the kind that reads it if the type alone is not enough; and its value in the standard preset. An object
//! has no value of its own. A name after `where` is a check across the keys of an object.
//!
//! The English line is one or two sentences with the numbers of the rules in brackets. The Chinese line begins with the
//! name of the switch, that of the platforms where they have one, and a colon. The words of a choice are explained after
//! a colon, in both.
//!
//! The field, the parser with its check, the writer, the comments and values of `data/presets/standard.toml`, the tables
//! in `docs/rules.md` and `docs/zh/rules.md`, and the OpenAPI schema are generated from the rows. So a new key is one
//! row.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::choice::{
    HandOver, OfflineMode, OnAgentOffline, OutsideHours, QueueMode, RecentOtherwise, ReplyUnit,
    Strategy, TakeBackOtherwise, WhenScopeOffline, Whom, name_of,
};
use super::hours_kinds::{HolidayLists, Interval, WeekLists, Weekday};
use super::member::{Entries, Groups, Member, MemberLists, Members};
use super::preset::Preset;
use super::reader::{KeyKind, ObjectReader, Rendered, ValueAt};
use super::shape::{ObjectTable, PolicyKey, Shape};
use super::value_kinds::{
    Count, EndMinute, FirstMinute, InviteAfter, LongerThanZero, OwnCount, Percent, Windows, Yearly,
};
use crate::domain::base::calendar::{Day, LocalTime, Zone};
use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::Duration;

/// The kind that reads a type: the one after `as`, or the type itself.
macro_rules! kind_of {
    ($type:ty) => {
        $type
    };
    ($type:ty, $kind:ty) => {
        $kind
    };
}

/// The value of a row in the standard preset, or the default of its kind.
macro_rules! default_of {
    ($kind:ty) => {
        <$kind as KeyKind>::when_left_out()
    };
    ($kind:ty, $value:tt) => {
        Some(json!($value))
    };
}

/// Generates the objects of a policy from their rows.
macro_rules! policy_objects {
    ($(
        #[doc = $english:literal]
        #[doc = $chinese:literal]
        $(#[$meta:meta])*
        $object:ident $(($name:literal))? $(where $rule:path)? {
            $(
                #[doc = $key_english:literal]
                #[doc = $key_chinese:literal]
                $field:ident $(($key:literal))?: $type:ty $(as $kind:ty)? $(= $default:tt)?;
            )+
        }
    )+) => { $(
        #[doc = $english]
        #[doc = $chinese]
        $(#[$meta])*
        pub struct $object { $(#[doc = $key_english] #[doc = $key_chinese] pub $field: $type,)+ }

        impl $object {
            /// The keys, as data.
            pub const TABLE: &'static ObjectTable = &ObjectTable {
                name: name_of!($object $($name)?),
                english: $english.trim_ascii(),
                chinese: $chinese.trim_ascii(),
                keys: &[$(PolicyKey {
                    name: name_of!($field $($key)?),
                    shape: <kind_of!($type $(, $kind)?) as KeyKind>::SHAPE,
                    english: $key_english.trim_ascii(),
                    chinese: $key_chinese.trim_ascii(),
                    default: || default_of!(kind_of!($type $(, $kind)?) $(, $default)?),
                }),+],
            };
        }

        impl KeyKind for $object {
            type Value = $object;
            const SHAPE: Shape = Shape::Object($object::TABLE);

            fn read(spot: ValueAt<'_>) -> Option<$object> {
                ObjectReader::whole(spot, $object::TABLE, |at| {
                    $(let $field = at.read::<kind_of!($type $(, $kind)?)>(name_of!($field $($key)?));)+
                    $($rule(at);)?
                    Some($object { $($field: $field?),+ })
                })
            }

            fn write<S: Serializer>(value: &$object, to: S) -> Result<S::Ok, S::Error> {
                value.serialize(to)
            }

            fn when_left_out() -> Option<Value> {
                Some(json!({}))
            }
        }

        impl Serialize for $object {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut object = serializer.serialize_map(None)?;
                $(object.serialize_entry(
                    name_of!($field $($key)?),
                    &Rendered::<kind_of!($type $(, $kind)?)>(&self.$field),
                )?;)+
                object.end()
            }
        }
    )+ };
}

policy_objects! {
    /// The settings of a shop. Omitted keys come from the preset.
    /// 店铺的策略；未写的键取自预设。
    #[derive(Clone, Debug, PartialEq)]
    Policy {
        /// The platform whose values apply to every key that the policy leaves out.
        /// 平台预设：没有写的配置项采用哪个平台的值。
        preset: Preset = "standard";
        /// The time zone of natural days, weeks and months: an IANA name.
        /// 时区：自然日、自然周、自然月按它计算，填 IANA 名称。
        timezone: Zone = "Asia/Shanghai";
        /// Shops with the same buyer space know a buyer by the same id, and their invitations count together (I12). Default: the name of the preset.
        /// 买家互通范围：写同一个值的店铺共用买家编号，邀评次数合并计算；不写则为预设的名称。
        buyer_space: Id = "standard";
        /// Which agent gets a session (R1 to R14).
        /// 分流：买家由谁接待，什么时候排队。
        routing: Routing;
        /// Opening hours and holidays (H1 to H3).
        /// 营业时间：店铺几点到几点营业，哪些天休息。
        hours: HoursPolicy;
        /// When a session ends by itself, and what may follow its end (S3, S8, S10, R9, T1).
        /// 会话：什么时候自动结束，结束之后还能做什么。
        session: SessionPolicy;
        /// Automatic replies (R5, R6, R9, H2).
        /// 自动回复：离线、排队、非营业时间各发什么。
        auto_reply: AutoReplies;
        /// Which buyers may be asked for a rating (I1 to I13).
        /// 邀评：可以邀请哪些买家评价。
        invite: InvitePolicy;
        /// Which ratings count (Q1 to Q3).
        /// 评价：哪些评价计入。
        rating: RatingPolicy;
        /// The scores and their alert thresholds (M1 to M13).
        /// 考核：各项服务指标怎么算，低到多少预警。
        service: ServicePolicy;
    }

    /// Which agent gets a session.
    /// 谁接待买家。
    #[derive(Clone, Debug, PartialEq)]
    Routing ("RoutingPolicy") {
        /// How one of several free agents is picked (P1 to P3): least_saturated takes the lowest ratio of load to capacity, fewest_today the fewest assignments of the day by weight, random draws one.
        /// 客服分流规则：几位客服空闲时分给谁；least_saturated 接待量不饱和优先，fewest_today 平均分配（今日接待最少的优先），random 随机分配。
        strategy: Strategy = "least_saturated";
        /// The buyer's recent agent (R1).
        /// 最近联系客服：重复来访的买家优先分给谁。
        recent: Recent;
        /// Named groups of agents and roles; other lists use one as group:NAME (R2).
        /// 客服分组：给一组客服或角色起名，在其他名单里用 group:组名 引用。
        groups: BTreeMap<Id, Vec<Member>> as Groups = {};
        /// Who serves the buyers of an entry, such as product_detail or live, and the questions of its menu (R2).
        /// 页面分流：从商品详情页、直播间等入口进来的买家由谁接待，入口的问题菜单也可以逐题指定。
        entries: BTreeMap<Id, Entry> as Entries<Entry> = {};
        /// Who serves the buyers whose order has this status (R2).
        /// 订单状态分流：按订单走到哪一步（如未付款、已发货）决定由谁接待。
        order_status: BTreeMap<Id, Vec<Member>> as MemberLists = {};
        /// If all agents of a question are busy, any free agent of the shop gets the session (R4b, R7).
        /// 排队溢出：问题分流的客服都满负荷时，分给店里任意空闲客服。
        overflow: bool = true;
        /// If no agent of the scope is online (R4c, R7): wait lets the session wait for them, any_online gives it to any free agent of the shop.
        /// 分流范围无人在线：wait 原地排队等这组客服，any_online 转给店里任意空闲客服。
        when_scope_offline: WhenScopeOffline = "any_online";
        /// What happens if no agent of the shop is online (R5).
        /// 离线分流：全店无人在线时怎么办。
        offline: Offline;
        /// Limits and prompts of waiting (R6, R14, S7).
        /// 排队：排多少人、排多久、告诉买家什么。
        queue: QueuePolicy;
        /// When a session is taken from an agent that does not answer (R10).
        /// 超时转接：客服不回复时，会话转给别人。
        take_back: TakeBackPolicy;
        /// What the priority of a buyer is worth in the queue (R11).
        /// 排队优先级：会员、大客户排队时往前多少。
        priority: PriorityPolicy;
    }

    /// The buyer's recent agent.
    /// 重复来访：最近联系客服。
    #[derive(Clone, Debug, PartialEq)]
    Recent ("RecentPolicy") {
        /// How long an agent stays the buyer's recent agent, to whom a buyer who comes again is given (R1); 0s: off.
        /// 最近联系客服：多长时间内再来的买家，优先分给上次接待 TA 的客服（重复来访），0s 关闭。
        window: Duration = "72h";
        /// The recent agent gets the session even if it is full (R1a).
        /// 满负荷也给老客服：最近联系的客服接待满了也仍分给 TA，不排队。
        over_capacity: bool = false;
        /// How long after it served the buyer the recent agent gets the session even while it is away (R1b); 0s: not.
        /// 小休也给老客服：最近联系的客服小休（挂起）时，多长时间内接待过的买家仍分给 TA，0s 不分。
        away_window: Duration = "0s";
        /// If the recent agent is not available (R1d): continue goes on with the scope, random_online draws one of all free agents, random_if_ungrouped does so only if order_status is empty.
        /// 老客服不在时：continue 照常分流，random_online 随机分给空闲客服，random_if_ungrouped 没有设置订单状态分流时才随机。
        otherwise: RecentOtherwise = "continue";
    }

    /// Who serves an entry, and the questions of its menu.
    /// 一个页面由谁接待，以及其问题菜单。
    #[derive(Clone, Debug, PartialEq, Default)]
    Entry ("EntryPolicy") {
        /// Who serves which question of the entry's menu (R2).
        /// 问题分流：入口的问题菜单里，每个问题由谁接待。
        questions: BTreeMap<Id, Vec<Member>> as MemberLists = {};
        /// Who serves the other buyers of the entry (R2).
        /// 统一分流：这个入口的其余买家由谁接待。
        members: Vec<Member> as Members = [];
    }

    /// What happens if no agent is online.
    /// 离线分流。
    #[derive(Clone, Debug, PartialEq)]
    Offline ("OfflinePolicy") {
        /// If no agent of the shop is online (R5): wait lets sessions wait, rota gives them to the members of the rota in turn.
        /// 离线分流：全店无人在线时，wait 排队等待，rota 按值班名单轮流分给离线客服。
        mode: OfflineMode = "wait";
        /// The rota: who gets sessions while no agent is online, the fewest of the day first (R5).
        /// 离线值班名单：全店无人在线时分给谁，当天分到最少的优先。
        members: Vec<Member> as Members = [];
        /// Unanswered sessions of offline agents, when an agent comes online or the shop opens (R5b): keep leaves them, online routes them anew.
        /// 离线留言转接：离线客服没回复的会话，keep 留给原客服，online 在有客服上线或开始营业时重新分配。
        hand_over: HandOver = "keep";
    }

    /// Limits and prompts of waiting.
    /// 排队的限制与提示。
    #[derive(Clone, Debug, PartialEq)]
    QueuePolicy {
        /// Whether sessions wait for a busy agent (R14): wait puts them into the queue, none gives them to an online agent whatever its load.
        /// 排队方式：wait 客服都满负荷时排队；none 不排队，直接分给在线客服，不受接待上限限制。
        mode: QueueMode = "wait";
        /// How many sessions of the shop may wait; one more is rejected (R6); 0: no limit.
        /// 排队人数上限：店里最多多少个会话排队，再进线的被拒绝，0 不限。
        limit: u32 as Count = 10000;
        /// A session that has waited this long closes (R6); 0s: no limit.
        /// 最长排队时间：排队满此时长自动结束，0s 不限。
        max_wait: Duration = "24h";
        /// How long a buyer who closed the page keeps its place in the queue, before the session closes (S7); 0s: leaving closes nothing.
        /// 离开后保留排队：买家关掉页面后名次保留多久，过后会话结束，0s 不因离开而结束。
        leave_grace: Duration = "0s";
        /// Below this position the buyer is told its position; from it on the busy prompt is used (R6); 0: never.
        /// 显示排队人数：名次小于此数时告诉买家前面有几位，排到此数及以后改用繁忙提示语，0 始终显示。
        show_position_below: u32 as Count = 20;
        /// The prompt for a waiting buyer; {ahead} and {position} are replaced (R6).
        /// 排队提示语：发给排队的买家，{ahead} 换成前面的人数，{position} 换成名次。
        prompt: String = "前面还有{ahead}位，请稍候";
        /// The prompt at position 1, if it is not empty (R6). A policy with its own prompt and without this key has none.
        /// 下一位提示语：排在第一位时用，为空则用排队提示语；自定义了排队提示语而没写此项时为空。
        next_prompt: String = "您是下一位，请稍候";
        /// The prompt for a buyer far back in the queue (R6).
        /// 繁忙提示语：排得靠后的买家看到的话，不报人数。
        busy_prompt: String = "咨询人数较多，请耐心等待或稍后再来";
    }

    /// When a session is taken from an agent that does not answer.
    /// 超时转接：客服多久未回复，会话转给别人。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    TakeBackPolicy {
        /// How long an agent may leave a buyer without an answer before the session goes to another agent (R10); 0s: off.
        /// 超时转接：客服多久没回复买家，会话就转给别的客服，0s 关闭。
        after: Duration = "0s";
        /// The time runs for every message, not only until the agent's first reply since it got the session (R10).
        /// 每条消息都计时：true 客服的每次回复都计时，false 只计接手后的首次回复。
        each: bool = false;
        /// How often a session may be taken back (R10); 0: no limit.
        /// 最多转接次数：同一个会话最多转走几次，0 不限。
        max: u32 as Count = 1;
        /// If no other agent is free (R10): stay leaves the session with its agent, queue puts it into the queue.
        /// 没有人可转时：stay 留在原客服，queue 转去排队。
        otherwise: TakeBackOtherwise = "stay";
        /// An agent that loses this many sessions without a reply in between is set away (R10e); 0: never.
        /// 超时自动小休：客服一直不回复，被转走这么多个会话后自动设为小休，0 关闭。
        away_after: u32 as Count = 0;
    }

    /// What the priority of a buyer is worth in the queue.
    /// 排队优先级。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    PriorityPolicy {
        /// One step of priority, of 0 to 9, counts like so much waiting (R11); 0s: priorities do not count.
        /// 排队优先级：优先级（0 到 9）每高一级，相当于多排了这么久，0s 不看优先级。
        age: Duration = "0s";
    }

    /// Opening hours and holidays.
    /// 营业时间与节假日。
    #[derive(Clone, Debug, PartialEq)]
    HoursPolicy {
        /// The opening hours of each weekday, mon to sun (H1). A day left out is closed. Without any, the shop is always open.
        /// 营业时间：每周各天（mon 到 sun）几点到几点营业；没写的那天不营业，全部不写则全天营业。
        week: BTreeMap<Weekday, Vec<Interval>> as WeekLists = {};
        /// The opening hours of single days, which replace those of the weekday (H1). An empty list is a holiday.
        /// 节假日：个别日期的营业时间，优先于每周的；空列表表示当天休息。
        days: BTreeMap<Day, Vec<Interval>> as HolidayLists = {};
        /// While the shop is closed (H2): inform routes sessions as usual, offline as if no agent were online.
        /// 非营业时间进线：inform 照常分流，offline 按全店无人在线处理。
        outside: OutsideHours = "inform";
        /// The prompt for a buyer who starts to wait because the shop is closed; empty: the usual one (H2).
        /// 非营业时间提示语：因为不营业而开始排队的买家看到的话，为空则用一般的提示语。
        prompt: String = "";
    }

    /// When a session ends by itself, and what may follow its end.
    /// 会话何时自动结束，以及结束之后。
    #[derive(Clone, Debug, PartialEq)]
    SessionPolicy {
        /// A session closes after this silence of the buyer (S3); 0s: off.
        /// 超时自动结束：买家多久不说话，会话自动结束，0s 关闭。
        close_after_buyer_silence: Duration = "10m";
        /// The silence counts only while the shop spoke last (S3).
        /// 客服说过话才计时：买家的话还没人回时，不算买家静默。
        requires_agent_reply: bool = true;
        /// What happens to the sessions of an agent that goes offline (R9): keep leaves them, close ends them, reroute gives them to others.
        /// 客服下线时会话：keep 保留，close 结束，reroute 改派给其他客服。
        on_agent_offline: OnAgentOffline = "reroute";
        /// How long an agent's place stays taken after a session that it answered closes (S8); 0s: off.
        /// 整理时间：会话结束后仍占一个接待名额多久，供客服整理订单和备注，0s 关闭。
        wrap_up: Duration = "0s";
        /// How long after the close its agent may still answer (S10); 0s: not.
        /// 结束后补发回复：会话结束后多久内，原客服仍可以回复，0s 不可以。
        late_reply: Duration = "0s";
        /// How much later than it happened an event may come (T1); 0s: not.
        /// 事件迟到容限：网关补报的事件最多晚到多久仍接受，0s 不接受。
        lateness: Duration = "10m";
    }

    /// Automatic replies.
    /// 自动回复。
    #[derive(Clone, Debug, PartialEq)]
    AutoReplies {
        /// Sent once per session when no agent is online (R5, R9).
        /// 离线自动回复：无人在线时发，每个会话一次。
        offline: AutoReply;
        /// Sent to a buyer who starts to wait (R6).
        /// 排队自动回复：买家开始排队时发。
        queued: AutoReply;
        /// Sent instead of the offline reply while the shop is closed (H2).
        /// 非营业时间自动回复：不营业时代替离线自动回复。
        closed: AutoReply;
    }

    /// An automatic reply.
    /// 一条自动回复。
    #[derive(Clone, Debug, PartialEq)]
    AutoReply where text_is_not_empty_where_enabled {
        /// Whether the reply is sent.
        /// 启用：是否发送。
        enabled: bool = false;
        /// The text of the reply; required if it is enabled.
        /// 内容：自动回复的文字，启用时不可为空。
        text: String = "";
    }

    /// Who may be asked for a rating.
    /// 可以向谁邀评。
    #[derive(Clone, Debug, PartialEq)]
    InvitePolicy {
        /// An invitation to rate is sent when a session closes (I1).
        /// 自动邀评：会话结束后自动邀请买家评价。
        auto: bool = true;
        /// The share of sessions that are sampled for an automatic invitation, in percent (I8).
        /// 抽样比例：百分之多少的会话参与自动邀评。
        auto_per_myriad ("auto_percent"): u16 as Percent = 100;
        /// The close reasons after which an automatic invitation may be sent (I3): timeout, agent, buyer.
        /// 结束方式：哪些结束方式之后自动邀评；timeout 超时结束，agent 客服结束，buyer 买家结束。
        after: InviteAfter = ["timeout", "agent", "buyer"];
        /// Invite automatically only if the last message is the agent's (I4).
        /// 客服最后说话才邀：最后一条消息是客服发的才自动邀评。
        agent_spoke_last: bool = false;
        /// Invite automatically only after sessions longer than this (I5); 0s: off.
        /// 会话时长下限：会话超过此时长才自动邀评，0s 不限。
        longer_than: Duration = "0s";
        /// Also invite after sessions that only the bot served (I2).
        /// 机器人会话也邀：只有机器人接待过的会话也自动邀评。
        bots: bool = false;
        /// Yearly windows without automatic invitations, such as promotions (I6).
        /// 暂停时段：每年的这些时段（如大促）不自动邀评。
        suspended: Vec<Suspension> as Windows<Suspension> = [];
        /// The minimum time between two automatic invitations of a buyer (I10); 0s: off.
        /// 自动邀评间隔：对同一买家两次自动邀评至少隔多久，0s 不限。
        auto_quiet: Duration = "24h";
        /// The maximum of automatic invitations per buyer, shop and day (I11); 0: no cap.
        /// 本店每天最多：每天对同一买家最多自动邀评几次，0 不限。
        auto_per_shop_day: u32 as Count = 0;
        /// If this many other shops invited the buyer that day, there is no automatic invitation (I12); 0: no cap.
        /// 每天最多几家店：当天已有这么多家别的店邀评过该买家，就不再自动邀评，0 不限。
        shops_per_buyer_day: u32 as Count = 2;
        /// How long after a rating the buyer is not invited (I9); 0s: off.
        /// 评过多久内不邀：买家评价后多久内不再邀评，0s 不限。
        quiet_after_rating: Duration = "24h";
        /// Opening a rating card also prevents automatic invitations for that time (I9).
        /// 打开卡片也算：买家只打开过评价卡片，同样时长内也不再自动邀评。
        quiet_after_opening: bool = true;
        /// Agents may ask for a rating by hand (I1).
        /// 手动邀评：客服可以点“邀请评价”。
        manual: bool = true;
        /// The minimum time between a manual invitation and any other one (I10); 0s: off.
        /// 手动邀评间隔：手动邀评与前后任何一次邀评至少隔多久，0s 不限。
        manual_quiet: Duration = "24h";
        /// A manual invitation requires that the buyer wrote to the agent that day (I13).
        /// 当天联系过才能邀：买家当天给该客服发过消息，客服才能手动邀评。
        manual_needs_contact: bool = true;
    }

    /// A yearly window in the shop's time zone: `from` ≤ local time < `to`. If `from` is after `to` it spans the new year.
    /// 每年的一个时段，按店铺时区；from 晚于 to 时跨年。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    Suspension ("SuspendedWindow") where ends_differ {
        /// The first minute of the window, MM-DDTHH:MM (I6).
        /// 开始：时段的第一分钟，写作 MM-DDTHH:MM。
        from: LocalTime as Yearly;
        /// The first minute after the window, MM-DDTHH:MM (I6).
        /// 结束：时段之后的第一分钟，写作 MM-DDTHH:MM。
        to: LocalTime as Yearly;
    }

    /// Which ratings count.
    /// 哪些评价有效。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    RatingPolicy {
        /// What a buyer may not rate again within the window (Q1, Q3): the agent or the shop.
        /// 重复评价限制：时限内不能再评同一位客服（agent）或本店（shop）。
        per: Whom = "agent";
        /// The minimum time between two ratings (Q1, Q3); 0s: off.
        /// 重复评价间隔：评价后多久内不能再评，0s 不限。
        window: Duration = "24h";
        /// Whom the buyer must have written to that day to open a card uninvited (Q1): the agent or the shop.
        /// 联系过谁才能评：买家当天给该客服（agent）或本店（shop）发过消息，才能自己打开评价卡片。
        contact: Whom = "agent";
        /// How long a card can be used (Q2); more than 0s.
        /// 评价卡片有效期：卡片发出后多久内可以评价，须大于 0s。
        card_valid: Duration as LongerThanZero = "24h";
    }

    /// The scores and their alert thresholds.
    /// 服务指标及其警戒线。
    #[derive(Clone, Debug, PartialEq)]
    ServicePolicy {
        /// Which messages are late, and the alert threshold of the reply rate (M1 to M3, M6).
        /// 人工回复率：多久没回算超时，低到多少预警。
        reply: ReplyPolicy;
        /// Which ratings are judged, and the alert threshold of the good rate (M4).
        /// 好评率：考核哪些评价，低到多少预警。
        good_rate: GoodRatePolicy;
        /// The alert threshold of the attitude rate (M5).
        /// 服务态度差占比：高到多少预警。
        attitude: AttitudePolicy;
        /// The minimum sample before a rate is judged (M6).
        /// 最少样本：样本达到这么多，指标才参与预警。
        min_sample: u32 as Count = 20;
        /// A summary of each natural day once its replies are due (M13).
        /// 当日总结：一天的回复期满后，给出当天的回复率和处罚风险。
        daily: bool = false;
    }

    /// Which messages are late.
    /// 哪些消息算超时。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    ReplyPolicy where reply_from_is_before_to {
        /// A message without a human reply for this long is late (M1); more than 0s.
        /// 几分钟内回复：超过此时长没有人工回复记为超时（如 3 分钟人工回复率），须大于 0s。
        within: Duration as LongerThanZero = "3m";
        /// When the slow-response reminder is sent (M3); 0s: never.
        /// 慢响应提醒：买家的消息多久没回就提醒客服，0s 关闭。
        remind_after: Duration = "100s";
        /// Messages count from this time of day (M1).
        /// 考核时段开始：每天从几点起的消息计入。
        from_ms ("from"): u32 as FirstMinute = "00:00";
        /// Messages count until before this time of day (M1).
        /// 考核时段结束：每天几点之前的消息计入（不含）。
        to_ms ("to"): u32 as EndMinute = "24:00";
        /// The alert threshold of the reply rate (M6); 0: no alert.
        /// 最低回复率：低于它就预警，0 不预警。
        min_rate: Share = 0;
        /// The minimum sample before the reply rate is judged (M6). Default: service.min_sample.
        /// 回复率最少样本：当天样本达到这么多才预警，不写则同 service.min_sample。
        min_sample: Option<u32> as OwnCount;
        /// What the reply rate counts (M12): buyer, round (each time the buyer waits for an answer), session (the first round of each).
        /// 回复率口径：buyer 按买家，round 按对话轮次，session 按会话的首次回复。
        unit: ReplyUnit = "buyer";
        /// Only messages within the opening hours count (M1).
        /// 仅考核营业时间：非营业时间的消息不计入。
        in_hours: bool = false;
        /// Messages to the bot also count (M1).
        /// 机器人咨询也算：发给机器人的消息也计入。
        count_bot: bool = false;
        /// A reply of the bot also counts as a reply (M2).
        /// 机器人回复也算：机器人的回复也算有效回复。
        effective_bot: bool = false;
        /// A day with more consulting buyers than this and an effective rate below 50% is at risk of a penalty (M2); 0: off.
        /// 处罚人数线：咨询人数超过它，有效回复率又不到 50%，就有处罚风险，0 关闭。
        penalty_above: u32 as Count = 0;
    }

    /// The alert threshold of the good rate.
    /// 好评率警戒线。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    GoodRatePolicy where good_rate_from_is_before_to {
        /// The alert threshold of the week's good rate (M4, M6); 0: no alert.
        /// 好评率线：周好评率低于它就预警，0 不预警。
        min: Share = 0;
        /// Ratings of the bot are not judged (M4).
        /// 不计机器人评价：只考核对人工客服的评价。
        human: bool = false;
        /// Cards made from this time of day are judged (M4).
        /// 评价考核时段开始：每天从几点起发出的评价卡片计入考核。
        from_ms ("from"): u32 as FirstMinute = "00:00";
        /// Cards made before this time of day are judged (M4).
        /// 评价考核时段结束：每天几点之前发出的评价卡片计入考核（不含）。
        to_ms ("to"): u32 as EndMinute = "24:00";
    }

    /// The alert threshold of the attitude rate.
    /// 服务态度差占比警戒线。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    AttitudePolicy {
        /// The alert threshold of the month's attitude rate (M5, M6); 1: no alert.
        /// 服务态度差占比线：月占比高于它就预警，1 不预警。
        max: Share = 1;
    }
}

fn text_is_not_empty_where_enabled(at: &ObjectReader<'_>) {
    let (enabled, text) = (at.peek::<bool>("enabled"), at.peek::<String>("text"));
    if enabled == Some(true) && text.is_some_and(|text| text.is_empty()) {
        at.note(
            "text",
            (
                "must not be empty where the reply is enabled",
                "启用自动回复时不可为空",
            ),
        );
    }
}

fn ends_differ(at: &ObjectReader<'_>) {
    let from = at.peek::<Yearly>("from");
    if from.is_some() && from == at.peek::<Yearly>("to") {
        at.note(
            "to",
            (
                "must hold windows whose from and to differ",
                "时段的 from 和 to 不可相同",
            ),
        );
    }
}

fn reply_from_is_before_to(at: &ObjectReader<'_>) {
    from_is_before_to(at, "service.reply.from");
}

fn good_rate_from_is_before_to(at: &ObjectReader<'_>) {
    from_is_before_to(at, "service.good_rate.from");
}

fn from_is_before_to(at: &ObjectReader<'_>, from_path: &str) {
    let (from, to) = (at.peek::<FirstMinute>("from"), at.peek::<EndMinute>("to"));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let expected = (
            format!("must be later than {from_path}"),
            format!("必须晚于 {from_path}"),
        );
        at.note("to", expected);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;

    /// `UPDATE_EXPECT=1 cargo test --lib standard_toml` writes the file again.
    #[test]
    fn standard_toml_is_the_table() {
        let mut text = "# The standard preset: every key of a policy with its default value.\n\
             # The other presets and every policy are merged over this one. The numbers are rule numbers.\n\
             # 标准预设：策略的全部键及默认值。其他预设和每个店铺的策略都叠加在它之上；编号即规则编号。\n\
             # This file is generated from the table of keys in src/domain/policy/table.rs.\n"
            .to_owned();
        write_toml(Policy::TABLE, "", &mut text);
        expect_file!["../../../data/presets/standard.toml"].assert_eq(&text);
    }

    fn write_toml(table: &ObjectTable, path: &str, text: &mut String) {
        let (tables, values): (Vec<_>, Vec<_>) = table.keys.iter().partition(|key| is_table(key));
        for (at, key) in values.into_iter().enumerate() {
            let blank = if path.is_empty() && at < 3 { "\n" } else { "" };
            let value = key.default_value().unwrap_or_default();
            // TOML has no null: a key without a value is a comment.
            let off = if value.is_null() { "# " } else { "" };
            let value = if value.is_null() {
                "…".to_owned()
            } else {
                literal(value)
            };
            *text += &format!("{blank}{}{off}{} = {value}\n", comment(key), key.name);
        }
        for key in tables {
            let below = [path, key.name].join(".");
            let below = below.trim_start_matches('.');
            let inner = if let Shape::Object(table) = key.shape {
                Some(table)
            } else {
                None
            };
            if inner.is_none_or(|table| !table.keys.iter().all(is_table)) {
                *text += &format!("\n{}[{below}]\n", comment(key));
            }
            if let Some(table) = inner {
                write_toml(table, below, text);
            }
        }
    }

    fn comment(key: &PolicyKey) -> String {
        format!("# {}\n# {}\n", key.english, key.chinese)
    }

    fn is_table(key: &PolicyKey) -> bool {
        matches!(key.shape, Shape::Object(_) | Shape::Map(_))
    }

    fn literal(value: Value) -> String {
        let Value::Array(items) = value else {
            return value.to_string();
        };
        let items: Vec<String> = items.into_iter().map(literal).collect();
        format!("[{}]", items.join(", "))
    }

    #[test]
    fn every_key_has_its_line_in_both_languages() {
        let mut tables = vec![Policy::TABLE];
        while let Some(table) = tables.pop() {
            for key in table.keys {
                let lines = format!("{}: {} {}", key.name, key.english, key.chinese);
                assert!(
                    key.english.is_ascii() && key.english.ends_with('.'),
                    "{lines}"
                );
                let (term, sentence) = key.chinese.split_once('：').expect(&lines);
                assert!(!term.is_ascii() && !sentence.is_ascii(), "{lines}");
                if let Shape::Object(table)
                | Shape::Map(Shape::Object(table))
                | Shape::List(Shape::Object(table)) = &key.shape
                {
                    tables.push(*table);
                }
            }
        }
    }
}
