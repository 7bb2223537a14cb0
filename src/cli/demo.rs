//! `xiaoer demo`: a server with a demo shop that plays a sample day, and commands to try next.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::demo_day::DemoDay;
use super::demo_once::once;
use super::serve::{LayersArguments, failure};
use super::{DayArgument, Failure, LanguageArgument, language, print_line};
use crate::domain::base::id::Id;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::{EventBody, GivenPolicy};
use crate::domain::read::views;
use crate::domain::state::shop::Shop;
use crate::env::{Env, PausableClock, print_stderr_line};
use crate::explain_text::Language;
use crate::runtime::{IncomingEvent, ReadError, Shops};
use crate::server::{Listening, serve};
use crate::settings::{LogLevel, Origin, Settings};

/// The shop in which the day is played.
const SHOP: &str = "demo";

/// The agents of the demo shop for sessions that a user opens: one before the sale, one after it.
const AGENTS: [&str; 2] = ["小美", "xiaolan"];

/// More agents than the demo shop has.
const AGENTS_MAX: usize = 100;

/// How many decisions are searched at once for one to explain.
const DECISIONS_AT_ONCE: usize = 1000;

/// Start a server with a demo shop in which a day is played at speed
#[derive(Args)]
pub(super) struct Demo {
    /// Where to listen; a loopback address, since no key is needed [default: 127.0.0.1:7600]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The data folder
    #[arg(long, value_name = "FOLDER", default_value = "xiaoer-demo")]
    data: PathBuf,
    /// Set one setting; `xiaoer serve --print-settings` shows all settings
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The day to play
    #[arg(long, value_enum, default_value_t = DayArgument::Promotion)]
    day: DayArgument,
    /// How many seconds the day takes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=3600))]
    seconds: u64,
    /// Start no server: play the day in memory and print the state of the shop after it
    #[arg(long, conflicts_with_all = ["listen", "data", "set", "seconds"])]
    once: bool,
    /// With --once: also write the day's events to this file, to replay and explain them
    #[arg(long, value_name = "FILE", requires = "once")]
    save: Option<PathBuf>,
    /// The language of texts; by default that of the environment, else Chinese
    #[arg(long)]
    lang: Option<LanguageArgument>,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let language = language(self.lang);
        if self.once {
            return once(self.day, language, self.save.as_deref());
        }
        let (which, seconds) = (self.day, self.seconds);
        let settings = self.settings()?;
        let shop = Id::known(SHOP);
        let mut day = None;
        let clock = Arc::new(PausableClock::new(|now| {
            let new = DemoDay::ending_before(which, now, &shop);
            let begin = new.begin();
            day = Some(new);
            begin
        }));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn crate::env::Clock>,
            ..Env::real()
        };
        let scene = DemoServer {
            shop,
            clock,
            language,
            folder: settings.data.display().to_string(),
        };
        let served = serve(&settings, env, None, move |listening| async move {
            let day = day.map(|day| (which, day));
            if let Err(error) = scene.play(&listening, day, seconds).await {
                scene.print_stopped(&error);
            }
        });
        served.map_err(failure)?;
        print_line(language.say("已停止。", "Stopped."));
        Ok(())
    }

    /// Like `serve --insecure`, in a folder of its own, and without a log line for every request.
    fn settings(self) -> Result<Settings, Failure> {
        let layers = LayersArguments {
            data: Some(self.data),
            config: None,
            set: self.set,
        };
        let mut flags = vec![("insecure".to_owned(), "true".to_owned())];
        if let Some(listen) = self.listen {
            flags.push(("listen".to_owned(), listen));
        }
        let (mut settings, origins) = layers.load(flags)?;
        if origins.of("log.level") == Origin::Default {
            settings.log_level = LogLevel::Warn;
        }
        Ok(settings)
    }
}

/// The demo on a server that listens.
struct DemoServer {
    shop: Id,
    clock: Arc<PausableClock>,
    language: Language,
    folder: String,
}

impl DemoServer {
    async fn play(
        &self,
        listening: &Listening,
        day: Option<(DayArgument, DemoDay)>,
        seconds: u64,
    ) -> Result<(), ReadError> {
        let (url, shops, folder) = (listening.url(), &listening.shops, &self.folder);
        let there = shops.exists(&self.shop).await.map_err(ReadError::Refused)?;
        print_line(&self.language.say(
            format!("正在监听 {url}，接口说明在 {url}/docs\n"),
            format!("listening on {url}; the API is described at {url}/docs\n"),
        ));
        match day {
            Some((which, day)) if !there => {
                day.play(shops, &self.clock, self.language, seconds).await?;
                if which == DayArgument::Holiday {
                    self.stay_open(shops).await?;
                }
            }
            Some(_) | None => print_line(&self.language.say(
                format!("示例店铺 {SHOP} 已在 {folder} 里，接着用；删掉这个文件夹，下次就从头放一遍。"),
                format!(
                    "The demo shop is in {folder} already and continues. Delete that folder to play the day again."
                ),
            )),
        }
        self.clock.release();
        for agent in AGENTS {
            let event = EventBody::PresenceChanged {
                agent: Id::known(agent),
                presence: Presence::Online,
            };
            let event = IncomingEvent::made(event, shops.now());
            let posted = shops.post(&self.shop, vec![event]).await;
            posted.map_err(ReadError::Refused)?;
        }
        let seq = longest_waiting(shops, &self.shop).await?;
        let online = shops.read(&self.shop, online).await?;
        print_line(&self.what_next(&url, &online, seq));
        Ok(())
    }

    /// Takes the opening hours off, so that a new buyer gets an agent at any hour.
    async fn stay_open(&self, shops: &Shops) -> Result<(), ReadError> {
        let policy = shops.read(&self.shop, |shop| serde_json::to_value(shop.policy()));
        let mut policy = policy.await?.unwrap_or_default();
        policy["hours"] = Value::Null;
        let policy = GivenPolicy::Sent(Box::new(policy));
        let event = IncomingEvent::made(EventBody::ShopConfigured { policy }, shops.now());
        let posted = shops.post(&self.shop, vec![event]).await;
        posted.map_err(ReadError::Refused)?;
        print_line(self.language.say(
            "节日过完了：营业时间已取消，现在全天营业。",
            "The holiday is over: the opening hours are removed, and the shop is always open now.",
        ));
        Ok(())
    }

    /// Commands to paste, with a decision that the shop has made.
    fn what_next(&self, url: &str, online: &[String], seq: Option<u64>) -> String {
        let (language, folder) = (self.language, &self.folder);
        let shop = format!("{url}/v1/shops/{SHOP}");
        let (these, online) = (online.join("、"), online.join(", "));
        let mut lines = vec![language.say(
            format!(
                "\n在线客服：{these}。全部内容存在 {folder} 里；按 Ctrl-C 停止。\n\n换一个终端试试\n\n\
                 # 来一位新买家，分配给一位客服"
            ),
            format!(
                "\nOnline: {online}. Everything is kept in {folder}; Ctrl-C stops it in order.\n\n\
                 Try in another terminal\n\n# a new buyer, who gets an agent"
            ),
        )];
        lines.push(format!(
            "curl -sw '\\n' {shop}/events -H 'Content-Type: application/json' \
             -d '{{\"type\":\"session.opened\",\"session\":\"demo-'$(date +%s)'\",\"buyer\":\"demo-'$(date +%s)'\"}}'"
        ));
        if let Some(seq) = seq {
            lines.push(language.say(
                format!("\n# 第 {seq} 个决策的依据；换成上面回答里的 seq，问的就是那一个"),
                format!(
                    "\n# why decision {seq} was made; put in the seq of an answer above to ask about that one"
                ),
            ));
            lines.push(format!("curl -sw '\\n' {shop}/decisions/{seq}/why"));
        }
        let report = language.say("\n# 店铺现在怎么样", "\n# how the shop stands");
        lines.push(report.to_owned());
        lines.push(format!("curl -sw '\\n' {shop}/report"));
        lines.join("\n")
    }

    fn print_stopped(&self, error: &ReadError) {
        use crate::runtime::Unavailable;
        let why = match error {
            // The server was told to stop.
            ReadError::Refused(Unavailable::Closing) => return,
            ReadError::NoShop => "the shop was deleted".to_owned(),
            ReadError::Refused(Unavailable::Busy) => "the server is busy".to_owned(),
            ReadError::Refused(Unavailable::OverQuota { .. }) => {
                "the shop has used up its share".to_owned()
            }
            ReadError::Refused(Unavailable::DiskFull) => {
                format!(
                    "the disk is nearly full: make room on the disk of {}",
                    self.folder
                )
            }
            ReadError::Refused(Unavailable::ClockNotTrusted(doubt)) => doubt.to_string(),
            ReadError::Refused(Unavailable::Broken) => "the shop panicked".to_owned(),
            ReadError::Refused(Unavailable::Damaged(what) | Unavailable::Stalled(what)) => {
                what.clone()
            }
        };
        print_stderr_line(&format!("xiaoer: the demo cannot go on: {why}"));
        self.clock.release();
    }
}

/// The agents that are online, by their ids.
fn online(shop: &Shop) -> Vec<String> {
    let agents = views::agents(shop, None, AGENTS_MAX).items.into_iter();
    let online = agents.filter(|agent| agent.presence == Presence::Online);
    online.map(|agent| agent.agent.to_string()).collect()
}

/// The fields of a decision that are read here.
#[derive(Deserialize)]
struct Assigned {
    seq: u64,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    waited: f64,
}

/// The assignment of the session that waited longest.
async fn longest_waiting(shops: &Shops, shop: &Id) -> Result<Option<u64>, ReadError> {
    let (mut after, mut longest) = (0, None);
    loop {
        let page = shops.decisions(shop, after, DECISIONS_AT_ONCE).await?;
        for decision in &page.items {
            after = decision.seq;
            let read = serde_json::from_str::<Assigned>(&decision.json).ok();
            let read = read.filter(|read| read.kind == "session.assigned");
            let Some(read) = read else { continue };
            if longest.is_none_or(|(waited, _)| waited < read.waited) {
                longest = Some((read.waited, read.seq));
            }
        }
        if !page.more {
            return Ok(longest.map(|(_, seq)| seq));
        }
    }
}
