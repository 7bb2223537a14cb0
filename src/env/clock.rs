//! The server's clock: the wall clock's time, without going back and without implausible jumps.
//!
//! Where the wall clock is set back a little, time goes on at its own pace until the wall clock has caught up. Where
//! it is set ahead a little, the server follows. Where it jumps by more than [`JUMP_MAX`], measured by a clock that
//! includes suspended time, the server does not follow: time goes on at its own pace, and the clock is not trusted
//! until the wall clock is right again. After a restart the clock begins no earlier than the end of the journal, and a
//! wall clock far past that end is not trusted unless a user accepts it ([`StartRule`]).
//!
//! Decisions of a clock that is not trusted would stay in the journal, so none are made: see [`Clock::trusted`].

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::base::time::{Duration, Instant};

/// A wall clock that differs from the expected time by more than this has jumped.
pub const JUMP_MAX: Duration = Duration::from_ms(3_600_000);

/// The server's source of time.
pub trait Clock: Send + Sync {
    /// Now; never earlier than an earlier result.
    fn now(&self) -> Instant;

    /// Sets a lower bound of the time.
    fn at_least(&self, instant: Instant);

    /// Sets the end of the journal. Time goes on from there, by a wall clock that the rule accepts.
    fn resume(&self, latest: Option<Instant>, _rule: StartRule) {
        if let Some(latest) = latest {
            self.at_least(latest);
        }
    }

    /// Whether events may be dated by the clock, as of the last [`Clock::now`].
    fn trusted(&self) -> Result<(), Doubt> {
        Ok(())
    }
}

/// Which wall clock a start accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartRule {
    /// How far the wall clock may be past the end of the journal; `None` for any distance.
    pub gap_max: Duration,
    /// Whether a user has accepted the wall clock.
    pub accept: bool,
}

/// Why the clock is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The wall clock has jumped while the server ran.
    Jumped {
        /// What it says.
        wall: Instant,
        /// What it should say.
        expected: Instant,
    },
    /// At the start, the wall clock was far past the end of the journal.
    Ahead {
        /// What it says.
        wall: Instant,
        /// The instant of the last record.
        latest: Instant,
        /// How far apart they may be.
        gap_max: Duration,
    },
    /// It is not of the years 2000 to 2099.
    OutOfYears {
        /// What it says.
        wall: Instant,
    },
}

/// An instant in UTC, as the wire language writes it.
struct Utc(Instant);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.at_offset(0).fmt(f)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Doubt::Jumped { wall, expected } => write!(
                f,
                "the machine's clock has jumped to {}, where {} was expected. Set the clock right, and the server goes \
                 on \
                 by itself; if {} is right, restart the server",
                Utc(wall),
                Utc(expected),
                Utc(wall)
            ),
            Doubt::Ahead {
                wall,
                latest,
                gap_max,
            } => write!(
                f,
                "the machine's clock says {}, and the last record is of {}, more than `clock.gap_max` ({gap_max}) \
                 earlier. \
                 Set the clock right, and the server goes on by itself; if {} is right, restart the server with \
                 --accept-clock",
                Utc(wall),
                Utc(latest),
                Utc(wall)
            ),
            Doubt::OutOfYears { wall } => write!(
                f,
                "the machine's clock says {}, and only the years 2000 to 2099 can be served. Set the clock right, and \
                 the \
                 server goes on by itself",
                Utc(wall)
            ),
        }
    }
}

/// The clocks of a machine.
pub trait ClockSource: Send + Sync {
    /// The wall clock.
    fn wall(&self) -> Instant;

    /// How long the machine has been up, its sleep included.
    fn up(&self) -> Duration;
}

/// The clocks of this machine.
pub struct Machine;

impl ClockSource for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
    fn wall(&self) -> Instant {
        let now = std::time::SystemTime::now();
        Instant::from_ms(match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        })
    }

    fn up(&self) -> Duration {
        // Elsewhere than on Linux a sleep may look like a jump of the wall clock.
        #[cfg(target_os = "linux")]
        let clock = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let clock = ClockId::Monotonic;
        let up = clock_gettime(clock);
        Duration::from_ms(up.tv_sec * 1000 + up.tv_nsec as i64 / 1_000_000)
    }
}

/// The clock of a server.
pub struct ServerClock {
    source: Box<dyn ClockSource>,
    state: Mutex<ClockState>,
    /// Whether it was not trusted when it was read last.
    doubted: AtomicBool,
}

/// An instant, and how long the machine was up then.
#[derive(Clone, Copy, Debug)]
struct ClockMark {
    instant: Instant,
    up: Duration,
}

impl ClockMark {
    /// The instant, moved on at its own pace.
    fn at(self, up: Duration) -> Instant {
        Instant::from_ms(self.instant.ms() + (up.ms() - self.up.ms()))
    }
}

struct ClockState {
    /// Time is at least this.
    floor: ClockMark,
    /// The wall clock when it was last where it should be; nothing where it has not been there since the start.
    anchor: Option<ClockMark>,
    /// The end of the journal, and which wall clock may follow it.
    start: Option<(ClockMark, StartRule)>,
    doubt: Option<Doubt>,
}

impl ServerClock {
    /// A clock that begins at the wall clock's time.
    pub fn new() -> ServerClock {
        ServerClock::of(Box::new(Machine))
    }

    /// A clock by these.
    pub fn of(source: Box<dyn ClockSource>) -> ServerClock {
        let floor = ClockMark {
            instant: source.wall().in_event_years(),
            up: source.up(),
        };
        let clock = ServerClock {
            source,
            state: Mutex::new(ClockState {
                floor,
                anchor: None,
                start: None,
                doubt: None,
            }),
            doubted: AtomicBool::new(false),
        };
        clock.now();
        clock
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut ClockState) -> T) -> T {
        let mut state = match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        };
        let changed = change(&mut state);
        self.doubted.store(state.doubt.is_some(), Ordering::Release);
        changed
    }
}

impl Default for ServerClock {
    fn default() -> ServerClock {
        ServerClock::new()
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Instant {
        self.with_state(|state| state.read(self.source.wall(), self.source.up()))
    }

    fn at_least(&self, instant: Instant) {
        self.with_state(|state| {
            let up = self.source.up();
            if state.floor.at(up) < instant {
                state.floor = ClockMark { instant, up };
            }
        });
    }

    fn resume(&self, latest: Option<Instant>, rule: StartRule) {
        // A record of another year was dated by a clock that would not be trusted today.
        let latest = latest.filter(|latest| latest.of_an_event());
        self.with_state(|state| {
            let (wall, up) = (self.source.wall(), self.source.up());
            let instant = latest.unwrap_or(wall).in_event_years();
            state.floor = ClockMark { instant, up };
            state.start = latest.map(|latest| {
                let instant = latest;
                (ClockMark { instant, up }, rule)
            });
            (state.anchor, state.doubt) = (None, None);
            state.read(wall, up);
        });
    }

    fn trusted(&self) -> Result<(), Doubt> {
        if !self.doubted.load(Ordering::Acquire) {
            return Ok(());
        }
        self.with_state(|state| state.doubt.map_or(Ok(()), Err))
    }
}

impl ClockState {
    /// The time, where the machine's clocks say this.
    fn read(&mut self, wall: Instant, up: Duration) -> Instant {
        let own = self.floor.at(up);
        self.doubt = self.judge(wall, up, own).err();
        if self.doubt.is_some() || wall < own {
            // A floor that is not moved keeps the milliseconds that rounding would lose.
            return own;
        }
        self.floor = ClockMark { instant: wall, up };
        wall
    }

    /// Whether the wall clock is taken, where time at its own pace would have come to `own`.
    fn judge(&mut self, wall: Instant, up: Duration, own: Instant) -> Result<(), Doubt> {
        if let Some(wall) = [wall, own].into_iter().find(|at| !at.of_an_event()) {
            return Err(Doubt::OutOfYears { wall });
        }
        let near = |expected: Instant| (wall.ms() - expected.ms()).abs() <= JUMP_MAX.ms();
        match self.anchor {
            Some(anchor) if !near(anchor.at(up)) && !near(own) => {
                let expected = anchor.at(up).max(own);
                return Err(Doubt::Jumped { wall, expected });
            }
            Some(_) => {}
            None => {
                if let Some((end, rule)) = self.start {
                    let (latest, gap_max) = (end.instant, rule.gap_max);
                    let bounded = !rule.accept && !gap_max.is_zero();
                    if bounded && wall > end.at(up) + gap_max {
                        return Err(Doubt::Ahead {
                            wall,
                            latest,
                            gap_max,
                        });
                    }
                    if wall < own && !near(own) {
                        // It is wrong, and does no harm: time goes on at its own pace. Once it is set right, that is no
                        // jump.
                        return Ok(());
                    }
                }
            }
        }
        self.anchor = Some(ClockMark { instant: wall, up });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// The clocks of a machine that a test sets.
    #[derive(Clone)]
    struct Set(Arc<Mutex<(i64, i64)>>);

    impl ClockSource for Set {
        fn wall(&self) -> Instant {
            Instant::from_ms(self.0.lock().unwrap().0)
        }

        fn up(&self) -> Duration {
            Duration::from_ms(self.0.lock().unwrap().1)
        }
    }

    const S: i64 = 1000;
    const MIN: i64 = 60 * S;
    const H: i64 = 60 * MIN;
    const DAY: i64 = 24 * H;
    const YEAR: i64 = 365 * DAY;

    fn ms(text: &str) -> i64 {
        Instant::parse(text).unwrap().ms()
    }

    /// 2026-11-11T10:00:00Z, the end of the journal.
    fn end() -> i64 {
        ms("2026-11-11T10:00:00Z")
    }

    /// What happens to the machine, and what the server makes of it.
    enum Step {
        /// The wall clock goes on by the first, the time that the machine is up by the second.
        Pass(i64, i64),
        /// The clock is trusted and says this, after the end of the journal.
        Says(i64),
        /// The clock is not trusted, and says this.
        Doubts(i64),
    }
    use Step::{Doubts, Pass, Says};

    /// Both clocks go on by as much.
    const fn goes(by: i64) -> Step {
        Pass(by, by)
    }

    /// The machine was off meanwhile: the wall clock is set.
    const fn jumps(by: i64) -> Step {
        Pass(by, 0)
    }

    fn check(case: &str, journal: Option<i64>, wall: i64, rule: StartRule, steps: &[Step]) {
        let set = Set(Arc::new(Mutex::new((wall, 77 * DAY))));
        let clock = ServerClock::of(Box::new(set.clone()));
        clock.resume(journal.map(Instant::from_ms), rule);
        let mut before = clock.now();
        for (number, step) in steps.iter().enumerate() {
            let now = clock.now();
            assert!(now >= before, "{case}, step {number}: time went back");
            before = now;
            let said = (clock.trusted().is_ok(), now.ms() - end());
            match *step {
                Pass(wall, up) => {
                    let mut set = set.0.lock().unwrap();
                    (set.0, set.1) = (set.0 + wall, set.1 + up);
                }
                Says(at) => assert_eq!(said, (true, at), "{case}, step {number}"),
                Doubts(at) => assert_eq!(said, (false, at), "{case}, step {number}"),
            }
        }
    }

    const RULE: StartRule = StartRule {
        gap_max: Duration::days(30),
        accept: false,
    };

    #[test]
    fn what_happens_to_every_machine_serves() {
        let check = |case, steps: &[Step]| check(case, Some(end()), end() + S, RULE, steps);
        check("a quiet night", &[goes(9 * H), Says(9 * H + S)]);
        check(
            "a sleep of the machine",
            &[goes(MIN), goes(62 * H), Says(62 * H + MIN + S)],
        );
        check("a year without a restart", &[goes(YEAR), Says(YEAR + S)]);
        check(
            "corrections of minutes, ahead and back",
            &[
                jumps(20 * MIN),
                Says(20 * MIN + S),
                jumps(-50 * MIN),
                Says(20 * MIN + S),
                goes(MIN),
                Says(21 * MIN + S),
                jumps(50 * MIN),
                Says(21 * MIN + S),
            ],
        );
        check("an hour at once", &[jumps(H), Says(H + S)]);
        check(
            "an hour back in two steps, and right again",
            &[
                jumps(-40 * MIN),
                Says(S),
                jumps(-40 * MIN),
                Says(S),
                jumps(80 * MIN),
                Says(S),
            ],
        );
    }

    #[test]
    fn a_jump_is_not_followed_until_the_clock_is_right_again() {
        let check = |case, steps: &[Step]| check(case, Some(end()), end() + S, RULE, steps);
        check(
            "nine years ahead for a moment",
            &[
                jumps(9 * YEAR),
                Doubts(S),
                goes(MIN),
                Doubts(MIN + S),
                jumps(-9 * YEAR),
                Says(MIN + S),
            ],
        );
        check(
            "far ahead, and back but for a bit",
            &[
                jumps(3 * DAY),
                Doubts(S),
                goes(H),
                jumps(-3 * DAY + 59 * MIN),
                Says(H + 59 * MIN + S),
            ],
        );
        check(
            "a day back, and right again",
            &[
                jumps(-DAY),
                Doubts(S),
                goes(H),
                Doubts(H + S),
                jumps(DAY),
                Says(H + S),
            ],
        );
        check("a bit more than an hour", &[jumps(H + 1), Doubts(S)]);
        check("a bit more than an hour back", &[jumps(-H - 1), Doubts(S)]);
        check(
            "2106, and 1970",
            &[
                jumps(80 * YEAR),
                Doubts(S),
                jumps(-136 * YEAR),
                Doubts(S),
                jumps(56 * YEAR),
                Says(S),
            ],
        );
        check(
            "a machine that stood still while the world went on",
            &[Pass(3 * H, S), Doubts(2 * S)],
        );
    }

    #[test]
    fn a_start_takes_a_wall_clock_that_can_be_right() {
        for (case, wall, steps) in [
            ("a restart", end() + S, &[Says(S)][..]),
            ("a weekend off", end() + 62 * H, &[Says(62 * H)]),
            ("29 days off", end() + 29 * DAY, &[Says(29 * DAY)]),
            (
                "a clock that is a bit behind",
                end() - 10 * MIN,
                &[Says(0), goes(20 * MIN), Says(20 * MIN)],
            ),
            (
                "a clock that is years behind, and set right",
                end() - 2 * YEAR,
                &[
                    Says(0),
                    goes(MIN),
                    Says(MIN),
                    jumps(2 * YEAR + 5 * DAY),
                    Says(5 * DAY + MIN),
                ],
            ),
            (
                "years behind, then years ahead",
                end() - 2 * YEAR,
                &[
                    Says(0),
                    jumps(4 * YEAR),
                    Doubts(0),
                    jumps(-2 * YEAR + S),
                    Says(S),
                ],
            ),
            (
                "31 days off",
                end() + 31 * DAY,
                &[
                    Doubts(0),
                    goes(H),
                    Doubts(H),
                    jumps(-2 * DAY),
                    Says(29 * DAY + H),
                    jumps(2 * H),
                    Doubts(29 * DAY + H),
                ],
            ),
            (
                "2106",
                end() + 80 * YEAR,
                &[Doubts(0), jumps(-80 * YEAR + S), Says(S)],
            ),
            ("1970", 0, &[Doubts(0), jumps(end() + S), Says(S)]),
        ] {
            check(case, Some(end()), wall, RULE, steps);
        }
    }

    #[test]
    fn a_person_may_say_that_the_clock_is_right() {
        let accept = StartRule {
            accept: true,
            ..RULE
        };
        let any = StartRule {
            gap_max: Duration::ZERO,
            ..RULE
        };
        for rule in [accept, any] {
            let far = end() + 9 * YEAR;
            check("years off", Some(end()), far, rule, &[Says(9 * YEAR)]);
            let steps = [Says(9 * YEAR), jumps(2 * H), Doubts(9 * YEAR)];
            check("a jump after that", Some(end()), far, rule, &steps);
            check("2106", Some(end()), end() + 80 * YEAR, rule, &[Doubts(0)]);
        }
    }

    #[test]
    fn a_journal_without_an_end_takes_every_year_that_is_served() {
        let begin = ms("2000-01-01T00:00:00Z");
        let steps = [Says(-5 * YEAR), jumps(5 * YEAR), Doubts(-5 * YEAR)];
        check("a first start", None, end() - 5 * YEAR, RULE, &steps);
        let steps = [Doubts(begin - end()), jumps(end() + S), Says(S)];
        check("a first start in 1970", None, 0, RULE, &steps);
        // A record of 2106 was acknowledged by a release that followed every clock.
        let late = ms("2099-12-31T23:59:59Z") + 6 * YEAR;
        check("the end of 2106", Some(late), end() + S, RULE, &[Says(S)]);
        // The last second that is served.
        let last = ms("2099-12-31T23:59:59Z");
        let steps = [Says(last - end()), goes(S), Doubts(last + S - end())];
        check("the end of the century", Some(last), last, RULE, &steps);
    }

    #[test]
    fn a_doubt_says_what_to_do() {
        let at = |text| Instant::parse(text).unwrap();
        let (wall, then) = (at("2035-01-01T00:00:00Z"), at("2026-11-11T10:00:00Z"));
        let gap_max = Duration::days(30);
        for (doubt, words) in [
            (
                Doubt::Jumped {
                    wall,
                    expected: then,
                },
                "2035-01-01T00:00:00+00:00, where 2026-11-11T10:00:00+00:00 was",
            ),
            (
                Doubt::Ahead {
                    wall,
                    latest: then,
                    gap_max,
                },
                "--accept-clock",
            ),
            (Doubt::OutOfYears { wall }, "only the years 2000 to 2099"),
        ] {
            let text = doubt.to_string();
            assert!(
                text.contains(words) && text.contains("Set the clock right"),
                "{text}"
            );
        }
    }
}
