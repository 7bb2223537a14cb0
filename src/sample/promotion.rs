//! The shop of the sample in the days of 11.11: its policy, its staff and their shifts.

use crate::domain::protocol::codes::Presence::{Away, Offline, Online};

use super::day_script::{ArrivalSlot, DayScript, Habits, Mood, Role, StaffMember};
use super::event_queue::{DAY_S, Moment};

/// A small clothing shop's policy in the days of 11.11.
const POLICY: &str = concat!(
    r#"{"preset":"standard","timezone":"Asia/Shanghai","#,
    r#""routing":{"strategy":"least_saturated","recent":{"window":"48h","away_window":"20m"},"#,
    r#""groups":{"presale":["小美","阿强","小北","Leo"],"aftersale":["role:aftersale"]},"#,
    r#""entries":{"product_detail":{"members":["group:presale"]},"#,
    r#""live":{"questions":{"几天发货":["小北"],"发什么快递":["xiaolan","小雨"],"#,
    r#""尺码怎么选":["小美","Leo"],"优惠券怎么用":["group:presale"]},"members":["group:presale"]}},"#,
    r#""order_status":{"unpaid":["group:presale"],"paid":["group:presale","group:aftersale"],"#,
    r#""shipped":["group:aftersale"],"received":["group:aftersale"]},"#,
    r#""overflow":true,"when_scope_offline":"any_online","#,
    r#""offline":{"mode":"rota","members":["小美","xiaolan"]},"#,
    r#""queue":{"limit":200,"max_wait":"5m","show_position_below":10}},"#,
    r#""session":{"close_after_buyer_silence":"6m","requires_agent_reply":true,"on_agent_offline":"reroute"},"#,
    r#""auto_reply":{"offline":{"enabled":true,"text":"亲，客服已下班，8:30上班后第一时间回复您"},"#,
    r#""queued":{"enabled":true,"text":"亲，咨询较多，正在为您排队"}},"#,
    r#""invite":{"auto_percent":90,"agent_spoke_last":true,"longer_than":"2m","#,
    r#""suspended":[{"from":"11-10T22:00","to":"11-11T02:00"},{"from":"11-11T22:00","to":"11-12T02:00"}],"#,
    r#""auto_quiet":"24h","auto_per_shop_day":1},"#,
    r#""service":{"reply":{"within":"3m","remind_after":"100s","from":"09:00","to":"24:00","#,
    r#""min_rate":0.9,"penalty_above":100},"good_rate":{"min":0.85},"attitude":{"max":0.3},"min_sample":20}}"#,
);

/// All agents.
const STAFF: [StaffMember; 7] = [
    StaffMember {
        id: "小美",
        name: "售前小美",
        role: Role::Presale,
        capacity: 5,
        weight: 3,
        pace_s: (7, 20),
        rude: 1,
        overlooks: 0,
        leaves_desk: &[],
        greets: true,
        shifts: &[
            (8, 30, Online),
            (12, 0, Away),
            (12, 40, Online),
            (17, 15, Away),
            (17, 30, Offline),
            (19, 50, Online),
            (21, 30, Away),
            (21, 45, Offline),
        ],
    },
    StaffMember {
        id: "阿强",
        name: "售前阿强",
        role: Role::Presale,
        capacity: 4,
        weight: 2,
        pace_s: (10, 30),
        rude: 2,
        overlooks: 0,
        leaves_desk: &[],
        greets: false,
        shifts: &[
            (9, 0, Online),
            (12, 40, Away),
            (13, 20, Online),
            (17, 50, Away),
            (18, 5, Offline),
        ],
    },
    StaffMember {
        id: "xiaolan",
        name: "售后小兰",
        role: Role::Aftersale,
        capacity: 4,
        weight: 2,
        pace_s: (9, 26),
        rude: 1,
        overlooks: 0,
        leaves_desk: &[],
        greets: true,
        shifts: &[
            (9, 30, Online),
            (12, 15, Away),
            (13, 0, Online),
            (18, 20, Away),
            (18, 35, Offline),
        ],
    },
    StaffMember {
        id: "小北",
        name: "售前小北",
        role: Role::Presale,
        capacity: 3,
        weight: 1,
        pace_s: (14, 40),
        rude: 9,
        overlooks: 0,
        leaves_desk: &[],
        greets: false,
        shifts: &[
            (11, 30, Online),
            (17, 40, Away),
            (18, 15, Online),
            // Its connection breaks in the middle of the promotion.
            (20, 14, Offline),
            (20, 41, Online),
            (22, 50, Away),
            (23, 5, Offline),
        ],
    },
    StaffMember {
        id: "阿珍",
        name: "售后阿珍",
        role: Role::Aftersale,
        capacity: 4,
        weight: 2,
        pace_s: (9, 28),
        rude: 1,
        overlooks: 0,
        leaves_desk: &[],
        greets: true,
        shifts: &[
            (13, 20, Online),
            (18, 40, Away),
            (19, 10, Online),
            (23, 10, Away),
            (23, 25, Offline),
        ],
    },
    StaffMember {
        id: "Leo",
        name: "Leo",
        role: Role::Presale,
        capacity: 4,
        weight: 2,
        pace_s: (8, 22),
        rude: 2,
        overlooks: 0,
        leaves_desk: &[],
        greets: false,
        shifts: &[(17, 10, Online), (23, 50, Away), (24, 5, Offline)],
    },
    StaffMember {
        id: "小雨",
        name: "售后小雨",
        role: Role::Aftersale,
        capacity: 3,
        weight: 1,
        pace_s: (12, 34),
        rude: 3,
        overlooks: 0,
        leaves_desk: &[],
        greets: false,
        shifts: &[
            (16, 30, Online),
            (19, 15, Away),
            (19, 40, Online),
            (24, 25, Away),
            (24, 40, Offline),
        ],
    },
];

/// From a minute of the day to another: how many buyers come, and how.
const ARRIVALS: [ArrivalSlot; 15] = [
    (10, 90, 5, Mood::Usual),
    (90, 420, 4, Mood::Usual),
    (420, 510, 4, Mood::Usual),
    (510, 600, 17, Mood::Usual),
    (600, 705, 26, Mood::Usual),
    (705, 740, 22, Mood::Usual),
    (740, 800, 40, Mood::Live),
    (800, 1000, 30, Mood::Usual),
    (1000, 1110, 22, Mood::Usual),
    (1110, 1195, 26, Mood::Usual),
    (1195, 1200, 6, Mood::Live),
    (1200, 1208, 66, Mood::Live),
    (1208, 1230, 28, Mood::Live),
    (1230, 1320, 36, Mood::Live),
    (1320, 1439, 22, Mood::Usual),
];

/// The last arrivals are on the morning after, in the night's part of the table.
const NIGHT_SLOTS: usize = 3;

/// The minutes of the day at which the head of the shop looks after the queue.
const SUPERVISED: [u64; 3] = [20 * 60 + 7, 20 * 60 + 14, 20 * 60 + 23];

/// The day before 11.11.
pub const DAY: DayScript = DayScript {
    // 2026-11-10.
    begin: Moment(40 * DAY_S),
    policy: POLICY,
    staff: &STAFF,
    arrivals: &ARRIVALS,
    night_slots: NIGHT_SLOTS,
    supervised: &SUPERVISED,
    habits: Habits::NONE,
};
