//! The shop of the sample: its policy, its staff and their shifts.

use crate::domain::protocol::codes::Presence;

use super::event_queue::{DAY_S, EventQueue, Moment, ScheduledStep};

/// A small clothing shop's policy in the days of 11.11.
pub const POLICY: &str = concat!(
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

/// The head of the shop, who serves no buyers.
pub const HEAD: &str = "掌柜";

/// The task of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Before the sale.
    Presale,
    /// After the sale.
    Aftersale,
}

/// An agent.
pub struct StaffMember {
    /// Its id.
    pub id: &'static str,
    /// The name that buyers see.
    pub name: &'static str,
    /// Its task.
    pub role: Role,
    /// Its capacity.
    pub capacity: u64,
    /// Its weight for `fewest_today`.
    pub weight: u64,
    /// How long it writes a reply, in seconds.
    pub pace_s: (u64, u64),
    /// The percentage of replies in which it is rude.
    pub rude: u64,
    /// Whether its workbench greets automatically.
    pub greets: bool,
    /// Its shifts: hour, minute, and its presence from then on.
    pub shifts: &'static [(u64, u64, Presence)],
}

use Presence::{Away, Offline, Online};

/// All agents.
pub const STAFF: [StaffMember; 7] = [
    StaffMember {
        id: "小美",
        name: "售前小美",
        role: Role::Presale,
        capacity: 5,
        weight: 3,
        pace_s: (7, 20),
        rude: 1,
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

/// Plans the shifts of `days` days, and of the morning after, until `end`.
pub fn plan_shifts(event_queue: &mut EventQueue, days: u64, end: Moment) {
    for day in 0..=days {
        for (number, member) in STAFF.iter().enumerate() {
            for &(hour, minute, presence) in member.shifts {
                let at = Moment(day * DAY_S + hour * 3600 + minute * 60);
                if day < days || at < end {
                    event_queue.plan(at, ScheduledStep::Presence(number, presence));
                }
            }
        }
        if day < days {
            for minute in [7, 14, 23] {
                event_queue.plan(
                    Moment(day * DAY_S + 20 * 3600 + minute * 60),
                    ScheduledStep::Supervise,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Policy;

    #[test]
    fn the_policy_is_one() {
        let policy = serde_json::from_str(POLICY).unwrap();
        assert!(Policy::parse(&policy).is_ok());
    }

    #[test]
    fn shifts_are_in_the_order_of_time_and_end_offline() {
        for member in &STAFF {
            let times: Vec<u64> = member
                .shifts
                .iter()
                .map(|(hour, minute, _)| hour * 60 + minute)
                .collect();
            assert!(times.is_sorted(), "{}", member.id);
            assert_eq!(
                member.shifts.last().map(|last| last.2),
                Some(Presence::Offline)
            );
        }
    }
}
