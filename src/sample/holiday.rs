//! The first day of a holiday: short opening hours, half of the staff, and buyers who wait before the shop opens.

use crate::domain::protocol::codes::Presence::{Away, Offline, Online};

use super::day_script::{ArrivalSlot, DayScript, Habits, Mood, Role, StaffMember};
use super::event_queue::Moment;

/// The clothing shop's policy from 国庆 on.
const POLICY: &str = concat!(
    r#"{"preset":"standard","timezone":"Asia/Shanghai","#,
    r#""routing":{"strategy":"least_saturated","recent":{"window":"48h"},"#,
    r#""groups":{"presale":["小美","阿强"],"aftersale":["role:aftersale"]},"#,
    r#""order_status":{"unpaid":["group:presale"],"shipped":["group:aftersale"],"received":["group:aftersale"]},"#,
    r#""overflow":true,"when_scope_offline":"any_online","offline":{"mode":"wait","hand_over":"online"},"#,
    r#""queue":{"limit":200,"max_wait":"16h","leave_grace":"2m","show_position_below":10},"#,
    r#""take_back":{"after":"2m","max":1,"otherwise":"queue","away_after":2},"priority":{"age":"3m"}},"#,
    r#""hours":{"week":{"mon":["09:00-22:00"],"tue":["09:00-22:00"],"wed":["09:00-22:00"],"thu":["09:00-22:00"],"#,
    r#""fri":["09:00-22:00"],"sat":["09:00-22:00"],"sun":["09:00-22:00"]},"#,
    r#""days":{"2026-10-01":["10:00-13:00","14:00-18:00"],"2026-10-03":[]},"#,
    r#""outside":"offline","prompt":"客服不在营业时间，上班后按先后顺序接待"},"#,
    r#""session":{"close_after_buyer_silence":"6m","requires_agent_reply":true,"on_agent_offline":"keep","#,
    r#""wrap_up":"40s","late_reply":"30m","lateness":"10m"},"#,
    r#""auto_reply":{"offline":{"enabled":true,"text":"亲，客服暂时不在，上线后第一时间回复您"},"#,
    r#""queued":{"enabled":true,"text":"亲，咨询较多，正在为您排队"},"#,
    r#""closed":{"enabled":true,"text":"亲，国庆当天 10:00–13:00、14:00–18:00 营业，上班后按先后顺序回复"}},"#,
    r#""invite":{"auto_percent":90,"agent_spoke_last":true,"longer_than":"2m","auto_per_shop_day":1},"#,
    r#""service":{"reply":{"within":"3m","remind_after":"100s","min_rate":0.8,"in_hours":true},"#,
    r#""good_rate":{"min":0.85},"min_sample":20,"daily":true}}"#,
);

/// All agents.
const STAFF: [StaffMember; 4] = [
    StaffMember {
        id: "小美",
        name: "售前小美",
        role: Role::Presale,
        capacity: 3,
        weight: 1,
        pace_s: (8, 22),
        rude: 1,
        overlooks: 3,
        leaves_desk: &[],
        greets: true,
        shifts: &[
            (9, 50, Online),
            (13, 0, Away),
            (14, 0, Online),
            (18, 15, Offline),
        ],
    },
    StaffMember {
        id: "阿强",
        name: "售前阿强",
        role: Role::Presale,
        capacity: 3,
        weight: 1,
        pace_s: (14, 44),
        rude: 2,
        // It also packs parcels.
        overlooks: 22,
        leaves_desk: &[(618, 632), (676, 690), (852, 866), (985, 1000)],
        greets: false,
        shifts: &[
            (10, 0, Online),
            (13, 5, Away),
            (13, 55, Online),
            (18, 5, Offline),
        ],
    },
    StaffMember {
        id: "xiaolan",
        name: "售后小兰",
        role: Role::Aftersale,
        capacity: 3,
        weight: 1,
        pace_s: (9, 26),
        rude: 1,
        overlooks: 3,
        leaves_desk: &[],
        greets: true,
        // It comes when the shop opens on other days.
        shifts: &[(8, 55, Online), (12, 30, Offline)],
    },
    StaffMember {
        id: "阿珍",
        name: "售后阿珍",
        role: Role::Aftersale,
        capacity: 3,
        weight: 1,
        pace_s: (9, 28),
        rude: 1,
        overlooks: 4,
        leaves_desk: &[],
        greets: true,
        shifts: &[(12, 20, Online), (18, 30, Offline)],
    },
];

/// From a minute of the day to another: how many buyers come, and how.
const ARRIVALS: [ArrivalSlot; 13] = [
    (10, 90, 3, Mood::Usual),
    (90, 420, 3, Mood::Usual),
    (420, 540, 4, Mood::Usual),
    (540, 600, 9, Mood::Usual),
    (600, 660, 36, Mood::Usual),
    (660, 740, 42, Mood::Live),
    (740, 780, 16, Mood::Usual),
    (780, 840, 10, Mood::Usual),
    (840, 900, 50, Mood::Live),
    (900, 1000, 38, Mood::Usual),
    (1000, 1080, 34, Mood::Usual),
    (1080, 1200, 10, Mood::Usual),
    (1200, 1439, 8, Mood::Usual),
];

/// The last arrivals are before ten on the morning after.
const NIGHT_SLOTS: usize = 4;

/// The head of the shop looks after the queue soon after it opens, twice.
const SUPERVISED: [u64; 4] = [612, 634, 852, 871];

/// What people do on this day.
const HABITS: Habits = Habits {
    vips: 8,
    urgent: 4,
    leaves_page: true,
    waits_until_open: 40,
    ranks_waiting: true,
    ready: 45,
    late_answer_s: 30 * 60,
    slow_line: 4,
    blocked_every: 70,
};

/// 国庆.
pub const DAY: DayScript = DayScript {
    // 2026-10-01.
    begin: Moment(0),
    policy: POLICY,
    staff: &STAFF,
    arrivals: &ARRIVALS,
    night_slots: NIGHT_SLOTS,
    supervised: &SUPERVISED,
    habits: HABITS,
};
