//! The table of a policy's keys (contract, section 4). Every key is defined only here.
//!
//! A row defines a key: two lines of documentation, English and Chinese; its field, with a different JSON name in
//! brackets; its type, and after `as` the kind that reads it if the type alone is not enough; and its value in the
//! standard preset. An object has no value of its own. A name after `where` is a check across the keys of an object.
//!
//! The field, the parser with its check, the writer, the comments and values of `data/presets/standard.toml`, and the
//! OpenAPI schema are generated from the rows. So a new key is one row.

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
        /// The preset that provides omitted keys.
        /// 预设：未写的键采用哪个平台的值。
        preset: Preset = "standard";
        /// The time zone of natural days, weeks and months: an IANA name.
        /// 自然日、自然周、自然月所用的时区。
        timezone: Zone = "Asia/Shanghai";
        /// Shops with the same buyer space share buyer ids (I12). Default: the name of the preset.
        /// 同一空间内的店铺共用买家编号；未写时为预设的名称。
        buyer_space: Id = "standard";
        /// Which agent gets a session (R1 to R14).
        /// 谁接待买家。
        routing: Routing;
        /// Opening hours and holidays (H1 to H3).
        /// 营业时间与节假日。
        hours: HoursPolicy;
        /// When a session ends by itself, and what may follow its end (S3, S8, S10, R9).
        /// 会话何时自动结束，以及结束之后。
        session: SessionPolicy;
        /// Automatic replies (R5, R6, R9, H2).
        /// 自动回复。
        auto_reply: AutoReplies;
        /// Who may be asked for a rating (I1 to I13).
        /// 可以向谁邀评。
        invite: InvitePolicy;
        /// Which ratings count (Q1 to Q3).
        /// 哪些评价有效。
        rating: RatingPolicy;
        /// The scores and their alert thresholds (M1 to M13).
        /// 服务指标及其警戒线。
        service: ServicePolicy;
    }

    /// Which agent gets a session.
    /// 谁接待买家。
    #[derive(Clone, Debug, PartialEq)]
    Routing ("RoutingPolicy") {
        /// How one of several free agents is picked (P1 to P3): least_saturated | fewest_today | random.
        /// 分配策略：接待量不饱和优先、平均分配、随机。
        strategy: Strategy = "least_saturated";
        /// The buyer's recent agent (R1).
        /// 重复来访：最近联系客服。
        recent: Recent;
        /// Named groups of agents and roles (R2).
        /// 客服分组。
        groups: BTreeMap<Id, Vec<Member>> as Groups = {};
        /// Who serves which entry and its questions (R2).
        /// 页面分流与问题分流。
        entries: BTreeMap<Id, Entry> as Entries<Entry> = {};
        /// Who serves which order status (R2).
        /// 订单状态分流。
        order_status: BTreeMap<Id, Vec<Member>> as MemberLists = {};
        /// If all agents of a question are busy, any free agent gets the session (R4b, R7).
        /// 问题分流的客服全忙时，溢出给任意空闲客服。
        overflow: bool = true;
        /// If no agent of the scope is online (R4c, R7): wait | any_online.
        /// 分流范围内无人在线：原地排队，或转给任意在线客服。
        when_scope_offline: WhenScopeOffline = "any_online";
        /// If no agent of the shop is online (R5).
        /// 离线分流。
        offline: Offline;
        /// Limits and prompts of waiting (R6, R14, S7).
        /// 排队的限制与提示。
        queue: QueuePolicy;
        /// When a session is taken from an agent that does not answer (R10).
        /// 超时转接：客服多久未回复，会话转给别人。
        take_back: TakeBackPolicy;
        /// What the priority of a buyer is worth in the queue (R11).
        /// 排队优先级。
        priority: PriorityPolicy;
    }

    /// The buyer's recent agent.
    /// 重复来访：最近联系客服。
    #[derive(Clone, Debug, PartialEq)]
    Recent ("RecentPolicy") {
        /// How long an agent stays the buyer's recent agent (R1); 0s: off.
        /// 重复来访：最近联系客服的时间窗，0s 关闭。
        window: Duration = "72h";
        /// The recent agent gets the session even if it is full (R1a).
        /// 最近联系客服满负荷时仍接待。
        over_capacity: bool = false;
        /// How long the recent agent still gets the session while it is away (R1b).
        /// 最近联系客服小休时仍接待的时间窗。
        away_window: Duration = "0s";
        /// If the recent agent is unavailable (R1d): continue | random_online | random_if_ungrouped.
        /// 最近联系客服不可用时：继续分流、随机在线、未分组时随机。
        otherwise: RecentOtherwise = "continue";
    }

    /// Who serves an entry, and the questions of its menu.
    /// 一个页面由谁接待，以及其问题菜单。
    #[derive(Clone, Debug, PartialEq, Default)]
    Entry ("EntryPolicy") {
        /// Who serves which question of the entry's menu (R2).
        /// 问题菜单中各问题由谁接待。
        questions: BTreeMap<Id, Vec<Member>> as MemberLists = {};
        /// Who serves the rest of the entry (R2).
        /// 该页面的其余咨询由谁接待。
        members: Vec<Member> as Members = [];
    }

    /// What happens if no agent is online.
    /// 离线分流。
    #[derive(Clone, Debug, PartialEq)]
    Offline ("OfflinePolicy") {
        /// If no agent of the shop is online (R5): wait | rota.
        /// 离线分流：排队等待，或按值班名单分配。
        mode: OfflineMode = "wait";
        /// The rota (R5).
        /// 离线值班名单。
        members: Vec<Member> as Members = [];
        /// Whether unanswered sessions of offline agents go to agents that come online (R5b): keep | online.
        /// 离线时留下的未回复会话：保留给原客服，或在有客服上线时转给在线客服。
        hand_over: HandOver = "keep";
    }

    /// Limits and prompts of waiting.
    /// 排队的限制与提示。
    #[derive(Clone, Debug, PartialEq)]
    QueuePolicy {
        /// Whether sessions wait for a busy agent (R14): wait | none. With none, an online agent gets them whatever its load.
        /// 排队方式：客服满负荷时排队等待，或不排队、直接分给在线客服。
        mode: QueueMode = "wait";
        /// How many sessions of the shop may wait (R6); 0: no limit.
        /// 排队人数上限，0 不限。
        limit: u32 as Count = 10000;
        /// How long a session may wait (R6); 0s: no limit.
        /// 最长排队时间，0s 不限。
        max_wait: Duration = "24h";
        /// How long a buyer who left the page keeps its place in the queue (S7); 0s: as long as any other.
        /// 买家离开页面后保留排队名次的时长，0s 不因离开而结束。
        leave_grace: Duration = "0s";
        /// The position from which the busy prompt is used (R6); 0: never.
        /// 排到此名次起改用繁忙提示，0 始终显示名次。
        show_position_below: u32 as Count = 20;
        /// The prompt for a waiting buyer; {ahead} and {position} are replaced (R6).
        /// 排队提示，其中 {ahead} 和 {position} 会被替换。
        prompt: String = "前面还有{ahead}位，请稍候";
        /// The prompt at position 1, if it is not empty (R6). A policy with its own prompt and without this key has none.
        /// 排在第一位时的提示，为空则用排队提示；自定义了排队提示而未写此键时为空。
        next_prompt: String = "您是下一位，请稍候";
        /// The busy prompt, for a buyer far back in the pool (R6).
        /// 繁忙提示。
        busy_prompt: String = "咨询人数较多，请耐心等待或稍后再来";
    }

    /// When a session is taken from an agent that does not answer.
    /// 超时转接：客服多久未回复，会话转给别人。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    TakeBackPolicy {
        /// How long an agent may leave a buyer without a reply before another agent gets the session (R10); 0s: off.
        /// 客服超过此时长未回复，会话转给其他客服，0s 关闭。
        after: Duration = "0s";
        /// Whether this holds for every message, or until the agent's first reply in the session (R10).
        /// 每条消息都计时，或仅在该客服首次回复之前计时。
        each: bool = false;
        /// How often a session may be taken from agents (R10); 0: no limit.
        /// 一个会话最多转接几次，0 不限。
        max: u32 as Count = 1;
        /// If no other agent is free (R10): stay | queue.
        /// 没有其他空闲客服时：留在原客服，或转去排队。
        otherwise: TakeBackOtherwise = "stay";
        /// An agent that loses this many sessions in a row is set away (R10e); 0: never.
        /// 客服连续被转走这么多个会话后自动设为小休，0 关闭。
        away_after: u32 as Count = 0;
    }

    /// What the priority of a buyer is worth in the queue.
    /// 排队优先级。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    PriorityPolicy {
        /// How much longer a session counts as having waited, for each step of priority (R11); 0s: off.
        /// 优先级每高一级，相当于多排了这么久，0s 关闭。
        age: Duration = "0s";
    }

    /// Opening hours and holidays.
    /// 营业时间与节假日。
    #[derive(Clone, Debug, PartialEq)]
    HoursPolicy {
        /// The opening hours of each weekday, mon to sun (H1). A day left out is closed. Without any, the shop is always open.
        /// 每周各日的营业时间（mon 到 sun）；未写的日子不营业，全部不写则全天营业。
        week: BTreeMap<Weekday, Vec<Interval>> as WeekLists = {};
        /// The opening hours of single days, which replace those of the weekday (H1). An empty list is a holiday.
        /// 个别日期的营业时间，优先于每周的；空列表为休息日。
        days: BTreeMap<Day, Vec<Interval>> as HolidayLists = {};
        /// What happens while the shop is closed (H2): inform | offline. With offline, sessions are routed as if no agent were online.
        /// 非营业时间：照常分流、仅提示，或按无人在线处理。
        outside: OutsideHours = "inform";
        /// The prompt for a buyer who starts to wait while the shop is closed, if it is not empty (H2).
        /// 非营业时间的排队提示，为空则用一般的提示。
        prompt: String = "";
    }

    /// When a session ends by itself, and what may follow its end.
    /// 会话何时自动结束，以及结束之后。
    #[derive(Clone, Debug, PartialEq)]
    SessionPolicy {
        /// A session closes after this silence of the buyer (S3); 0s: off.
        /// 买家静默多久后自动结束会话，0s 关闭。
        close_after_buyer_silence: Duration = "10m";
        /// The silence counts only if the shop spoke last (S3).
        /// 仅在客服最后发言后计静默。
        requires_agent_reply: bool = true;
        /// What happens to an agent's sessions when it goes offline (R9): keep | close | reroute.
        /// 客服下线时其会话：保留、关闭、重新分配。
        on_agent_offline: OnAgentOffline = "reroute";
        /// How long an agent's place stays taken after a session that it answered closes (S8); 0s: off.
        /// 会话结束后客服的整理时间，期间仍占一个接待名额，0s 关闭。
        wrap_up: Duration = "0s";
        /// How long after the close the agent may still answer (S10); 0s: not.
        /// 会话结束后客服仍可补发回复的时长，0s 关闭。
        late_reply: Duration = "0s";
        /// How late an event may arrive after its time (T1); 0s: not.
        /// 事件迟到多久仍被接受，0s 不接受迟到的事件。
        lateness: Duration = "10m";
    }

    /// Automatic replies.
    /// 自动回复。
    #[derive(Clone, Debug, PartialEq)]
    AutoReplies {
        /// Sent once per session when no agent is online (R5, R9).
        /// 离线自动回复。
        offline: AutoReply;
        /// Sent to a buyer who starts to wait (R6).
        /// 排队自动回复。
        queued: AutoReply;
        /// Sent instead of the offline reply while the shop is closed (H2).
        /// 非营业时间自动回复，代替离线自动回复。
        closed: AutoReply;
    }

    /// An automatic reply.
    /// 一条自动回复。
    #[derive(Clone, Debug, PartialEq)]
    AutoReply where text_is_not_empty_where_enabled {
        /// Whether the reply is sent.
        /// 是否启用。
        enabled: bool = false;
        /// The text of the reply; required if it is enabled.
        /// 回复的文字，启用时不可为空。
        text: String = "";
    }

    /// Who may be asked for a rating.
    /// 可以向谁邀评。
    #[derive(Clone, Debug, PartialEq)]
    InvitePolicy {
        /// Invitations are sent when a session closes (I1).
        /// 会话结束后自动邀评。
        auto: bool = true;
        /// The share of sessions that are sampled, in percent (I8).
        /// 自动邀评抽样比例（百分比）。
        auto_per_myriad ("auto_percent"): u16 as Percent = 100;
        /// The close reasons after which an invitation may be sent (I3).
        /// 哪些结束方式之后邀评：超时、客服结束、买家结束。
        after: InviteAfter = ["timeout", "agent", "buyer"];
        /// Invite only if the agent spoke last (I4).
        /// 仅当最后一条消息来自客服。
        agent_spoke_last: bool = false;
        /// Invite only after sessions longer than this (I5); 0s: off.
        /// 会话须长于此时长，0s 关闭。
        longer_than: Duration = "0s";
        /// Also invite after sessions that only the bot served (I2).
        /// 纯机器人会话也邀评。
        bots: bool = false;
        /// Yearly windows without automatic invitations (I6).
        /// 每年暂停自动邀评的时段（大促）。
        suspended: Vec<Suspension> as Windows<Suspension> = [];
        /// The minimum time between two automatic invitations (I10).
        /// 两次自动邀评的最短间隔。
        auto_quiet: Duration = "24h";
        /// The maximum of automatic invitations per buyer, shop and day (I11); 0: no cap.
        /// 每店每日对同一买家的自动邀评上限，0 不限。
        auto_per_shop_day: u32 as Count = 0;
        /// The maximum of other shops that invited the buyer on that day (I12); 0: no cap.
        /// 同一买家每日被多少家店邀评为限，0 不限。
        shops_per_buyer_day: u32 as Count = 2;
        /// The minimum time between a rating and an invitation (I9).
        /// 评价后多久不再邀评。
        quiet_after_rating: Duration = "24h";
        /// Opening a rating card also prevents automatic invitations for that time (I9).
        /// 打开评价卡片后同样不再自动邀评。
        quiet_after_opening: bool = true;
        /// Agents may invite manually, by the button 邀请评价 (I1).
        /// 客服可手动邀评。
        manual: bool = true;
        /// The minimum time between two manual invitations (I10).
        /// 手动邀评的最短间隔。
        manual_quiet: Duration = "24h";
        /// A manual invitation requires that the buyer wrote to the agent that day (I13).
        /// 手动邀评要求买家当日联系过该客服。
        manual_needs_contact: bool = true;
    }

    /// A yearly window in the shop's time zone: `from` ≤ local time < `to`. If `from` is after `to` it spans the new year.
    /// 每年的一个时段，按店铺时区；from 晚于 to 时跨年。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    Suspension ("SuspendedWindow") where ends_differ {
        /// The first minute (I6).
        /// 开始。
        from: LocalTime as Yearly;
        /// The first minute after it (I6).
        /// 结束（不含）。
        to: LocalTime as Yearly;
    }

    /// Which ratings count.
    /// 哪些评价有效。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    RatingPolicy {
        /// What a buyer may not rate again within the window (Q1, Q3): agent | shop.
        /// 重复评价的限制对象：客服或店铺。
        per: Whom = "agent";
        /// The minimum time between two ratings (Q1, Q3).
        /// 重复评价的限制时长。
        window: Duration = "24h";
        /// Whom the buyer must have written to that day (Q1): agent | shop.
        /// 买家当日须联系过：该客服或本店。
        contact: Whom = "agent";
        /// How long a card can be used (Q2); more than 0s.
        /// 评价卡片有效期，须大于 0s。
        card_valid: Duration as LongerThanZero = "24h";
    }

    /// The scores and their alert thresholds.
    /// 服务指标及其警戒线。
    #[derive(Clone, Debug, PartialEq)]
    ServicePolicy {
        /// Which messages are late (M1 to M3).
        /// 哪些消息算超时。
        reply: ReplyPolicy;
        /// The alert threshold of the good rate (M4).
        /// 好评率警戒线。
        good_rate: GoodRatePolicy;
        /// The alert threshold of the attitude rate (M5).
        /// 服务态度差占比警戒线。
        attitude: AttitudePolicy;
        /// The minimum sample before a rate is judged (M6).
        /// 指标生效所需的最小样本。
        min_sample: u32 as Count = 20;
        /// A summary of each natural day once its replies are due (M13).
        /// 每个自然日结束后给出当日总结。
        daily: bool = false;
    }

    /// Which messages are late.
    /// 哪些消息算超时。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    ReplyPolicy where reply_from_is_before_to {
        /// A message without a human reply for this long is late (M1); more than 0s.
        /// 超过此时长未人工回复记为超时，须大于 0s。
        within: Duration as LongerThanZero = "3m";
        /// When the slow-response reminder is sent (M3); 0s: never.
        /// 慢响应提醒时间，0s 关闭。
        remind_after: Duration = "100s";
        /// Messages count from this time of day (M1).
        /// 考核时段开始。
        from_ms ("from"): u32 as FirstMinute = "00:00";
        /// Messages count until before this time of day (M1).
        /// 考核时段结束（不含）。
        to_ms ("to"): u32 as EndMinute = "24:00";
        /// The alert threshold of the reply rate (M6); 0: no alert.
        /// 回复率警戒线，0 不预警。
        min_rate: Share = 0;
        /// The minimum sample before the reply rate is judged (M6). Default: service.min_sample.
        /// 回复率生效所需的最小样本，不写则同 service.min_sample。
        min_sample: Option<u32> as OwnCount;
        /// What the reply rate counts (M12): buyer | round | session.
        /// 回复率按什么统计：买家数、对话轮次、会话数。
        unit: ReplyUnit = "buyer";
        /// Only messages within the opening hours count (M1).
        /// 仅营业时间内的消息计入。
        in_hours: bool = false;
        /// Messages to the bot also count (M1).
        /// 发给机器人的消息也计入。
        count_bot: bool = false;
        /// A reply of the bot also counts as a reply (M2).
        /// 机器人的回复也算有效回复。
        effective_bot: bool = false;
        /// A day with more consulting buyers than this is at risk (M2); 0: off.
        /// 咨询人数超过此数才有处罚风险，0 关闭。
        penalty_above: u32 as Count = 0;
    }

    /// The alert threshold of the good rate.
    /// 好评率警戒线。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    GoodRatePolicy where good_rate_from_is_before_to {
        /// The alert threshold of the week's good rate (M4, M6); 0: no alert.
        /// 周好评率警戒线，0 不预警。
        min: Share = 0;
        /// Ratings of the bot are not judged (M4).
        /// 不计机器人的评价。
        human: bool = false;
        /// Cards made from this time of day are judged (M4).
        /// 从几点起发出的评价卡片计入。
        from_ms ("from"): u32 as FirstMinute = "00:00";
        /// Cards made before this time of day are judged (M4).
        /// 几点之前发出的评价卡片计入（不含）。
        to_ms ("to"): u32 as EndMinute = "24:00";
    }

    /// The alert threshold of the attitude rate.
    /// 服务态度差占比警戒线。
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    AttitudePolicy {
        /// The alert threshold of the month's attitude rate (M5, M6); 1: no alert.
        /// 月服务态度差占比警戒线，1 不预警。
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
        format!("# {} {}\n", key.english, key.chinese)
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
                    key.english.is_ascii() || key.name == "manual" || key.name == "to",
                    "{lines}"
                );
                assert!(!key.chinese.is_ascii(), "{lines}");
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
