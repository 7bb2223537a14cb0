//! An ordinary life of a server: shops under load, tenants that are created and deleted, webhooks and keys; and the
//! checks after a failure.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;

use super::account::{Account, Lost};
use super::deadline::Deadline;
use super::desk::{self, Crowd, Outcome, SHOPS, Sent, path};
use super::http::Client;
use super::receiver::{Receiver, Reply};
use super::recording::Recorder;
use super::served::{Launch, SMALL, Said, Served, argument, folder, program, run_to_end};
use super::tenant::Tenant;

/// Shops that are made, used and taken away again.
const TENANTS: [&str; 3] = ["the tenant", "租客", "t"];

/// The shop whose keys commands make and take back.
pub const KEYED: &str = SHOPS[1];

/// Clients of the shops that stay.
const CLIENTS: u64 = 4;

/// What stands before the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// Nothing.
    Plain,
    /// Lives are taken before changes of it; a sync takes so many microseconds.
    Counted(u64),
    /// The same, and all that is done to it is written down.
    Recorded(u64),
}

/// A server, its folder, and what was acknowledged.
pub struct World {
    place: Option<TempDir>,
    /// The data folder.
    pub data: PathBuf,
    /// What writes its disk down, or takes its life; none where there is no C compiler.
    pub recorder: Option<Recorder>,
    /// The same for commands, and for servers on other folders.
    pub of_commands: Option<Recorder>,
    /// A key that may do everything.
    pub admin: String,
    /// Where webhooks go.
    pub receiver: Receiver,
    /// What the shops that stay were told.
    pub account: Account,
    /// The others.
    pub tenants: Vec<Tenant>,
    /// Keys of the shop [`KEYED`] that were shown, and those that were taken back.
    pub shown: Vec<String>,
    /// See `shown`.
    pub revoked: Vec<String>,
    /// All that was sent to the shops that stay, client by client, since somebody asked.
    pub sent: Vec<Vec<Sent>>,
    /// What is drawn.
    pub luck: StdRng,
    loads: u64,
    is_configured: bool,
}

/// Clients at work.
pub struct Busy {
    crowd: Crowd,
    tenants: Vec<JoinHandle<Tenant>>,
    stop: Arc<AtomicBool>,
}

impl World {
    /// A new one. Where no shim can be built, nothing stands before its disk.
    pub fn new(seed: u64, disk: Disk) -> World {
        let (place, data) = folder();
        let recorder = match disk {
            Disk::Plain => None,
            Disk::Counted(sync_us) => Recorder::new(place.path(), sync_us, false).ok(),
            Disk::Recorded(sync_us) => Recorder::new(place.path(), sync_us, true).ok(),
        };
        let data = recorder
            .as_ref()
            .map_or(data, |recorder| recorder.root.join("data"));
        let receiver = Receiver::always(Reply::status(204));
        let mut luck = StdRng::seed_from_u64(seed);
        let tenants = TENANTS.map(|shop| {
            let hooks = format!("{}-{}", receiver.url(), shop.len());
            Tenant::new(shop, &hooks, luck.random())
        });
        let mut world = World {
            place: Some(place),
            data,
            of_commands: match disk {
                Disk::Recorded(_) => recorder.clone(),
                Disk::Plain | Disk::Counted(_) => recorder.as_ref().map(Recorder::apart),
            },
            recorder,
            admin: String::new(),
            receiver,
            account: Account::default(),
            tenants: tenants.into(),
            shown: Vec::new(),
            revoked: Vec::new(),
            sent: Vec::new(),
            luck,
            loads: 0,
            is_configured: false,
        };
        let said = world.run(&["key", "new", "--scope", "admin", "--name", "test"]);
        assert!(said.status.success(), "an admin's key: {said:?}");
        world.admin = said.out.trim().to_owned();
        world
    }

    /// A folder for what belongs to no server.
    pub fn place(&self) -> &Path {
        self.place.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// Where something was found: with `XIAOER_KEEP` set the folder stays, and this says where.
    pub fn keep(&mut self) -> Option<String> {
        std::env::var_os("XIAOER_KEEP")?;
        let place = self.place.take()?;
        Some(format!("kept in {}", place.keep().display()))
    }

    /// Where files may lie whose disk is recorded.
    pub fn disk(&self) -> &Path {
        self.data.parent().unwrap_or(&self.data)
    }

    /// A command on the same disk.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments);
        if let Some(recorder) = &self.of_commands {
            recorder.before(&mut command);
        }
        command
    }

    /// Runs a command on the data folder, on the same disk, to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        run_to_end(self.command(&[arguments, &["--data", argument(&self.data)]].concat()))
    }

    /// The server, with keys.
    pub fn launch(&self, settings: &[&str]) -> Launch {
        launch(&self.data, settings, self.recorder.as_ref())
    }

    /// Another server on another folder of the disk; its life is one apart.
    pub fn launch_on(&self, data: &Path, settings: &[&str]) -> Launch {
        launch(data, settings, self.of_commands.as_ref())
    }

    /// A connection that may do everything.
    pub fn client(&self, served: &Served) -> Client {
        let now = self.recorder.as_ref().map_or(0, Recorder::now);
        served.client().with_key(&self.admin).since(now)
    }

    /// Makes the shops that stay, where that was not done.
    pub fn configure(&mut self, served: &Served) {
        if !self.is_configured {
            let outcome = self.try_configure(served);
            assert_eq!(outcome, Outcome::Answered, "shops are configured");
        }
    }

    /// The same of a server that may not do it.
    pub fn try_configure(&mut self, served: &Served) -> Outcome {
        let (sent, outcome) = desk::try_configure(&mut self.client(served));
        self.account.write_down(sent.clone());
        self.sent.push(sent);
        self.is_configured = outcome == Outcome::Answered;
        outcome
    }

    /// Everybody goes to work.
    pub fn begin(&mut self, served: &Served) -> Busy {
        self.loads += 1;
        let client = self.client(served);
        let crowd = Crowd::begin_by(
            &client,
            &format!("l{}", self.loads),
            CLIENTS,
            self.luck.random(),
        );
        let stop = Arc::new(AtomicBool::new(false));
        let tenants = std::mem::take(&mut self.tenants)
            .into_iter()
            .map(|mut tenant| {
                let (mut client, stop) = (client.alike(), Arc::clone(&stop));
                std::thread::spawn(move || {
                    let mut goes_on = true;
                    while goes_on && !stop.load(Ordering::Relaxed) {
                        goes_on = tenant.act(&mut client) == Outcome::Answered;
                    }
                    tenant
                })
            });
        Busy {
            crowd,
            tenants: tenants.collect(),
            stop,
        }
    }

    /// Everybody ends, and what they were told is written down.
    pub fn end(&mut self, busy: Busy) {
        busy.stop.store(true, Ordering::Relaxed);
        let sent = busy.crowd.sent_by_each();
        self.account
            .write_down(sent.iter().flatten().cloned().collect());
        self.sent.extend(sent);
        for tenant in busy.tenants {
            match tenant.join() {
                Ok(tenant) => self.tenants.push(tenant),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    }

    /// Everybody works for a while.
    pub fn load(&mut self, served: &Served, ms: u64) {
        let busy = self.begin(served);
        let over = Deadline::after(Duration::from_millis(ms));
        let early = over.poll(|| busy.crowd.is_over().then_some(()));
        self.end(busy);
        assert!(early.is_none(), "a server that is not disturbed");
    }

    /// Everybody works until so many events more were acknowledged, however slow the machine is.
    pub fn load_until(&mut self, served: &Served, events: usize) {
        /// How long a step of the load is.
        const STEP_MS: u64 = 150;
        let enough = self.account.acknowledged + events;
        while self.account.acknowledged < enough {
            self.load(served, STEP_MS);
        }
    }

    /// Holds a server against all that was acknowledged; with `tried`, webhooks are called too.
    pub fn hold(&mut self, served: &Served, tried: bool) -> Lost {
        let mut client = self.client(served);
        let mut lost = self.account.hold_or_fail(&mut client);
        let receiver = tried.then_some(&self.receiver);
        for tenant in &mut self.tenants {
            lost.extend(tenant.hold(&mut client, receiver));
            lost.append(&mut tenant.broken);
        }
        lost.extend(self.hold_keys(&client));
        self.receiver.forget();
        lost
    }

    /// The same of a server on a copy of the folder, after which others can be held too.
    pub fn hold_copy(&self, served: &Served) -> Lost {
        let mut client = self.client(served);
        let mut lost = self.account.clone().hold_or_fail(&mut client);
        for tenant in &self.tenants {
            lost.extend(tenant.clone().hold(&mut client, None));
        }
        lost.extend(self.hold_keys(&client));
        lost
    }

    /// Keys that were shown open their shop, those that were taken back do not.
    fn hold_keys(&self, client: &Client) -> Lost {
        let shown = self.shown.iter().map(|key| (key, true));
        let all = shown.chain(self.revoked.iter().map(|key| (key, false)));
        let wrong = all.filter(|(key, opens)| self.opens(client, key) != *opens);
        let say =
            |(key, opens): (&String, bool)| format!("key {}…, must it open: {opens}", &key[..12]);
        wrong.map(say).collect()
    }

    /// Whether a key opens its shop.
    pub fn opens(&self, client: &Client, key: &str) -> bool {
        let answer = client
            .another()
            .with_key(key)
            .get(&path(KEYED, "/decisions?limit=1"));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// How a server is started: as by default, or so that shops sleep and checkpoints are taken all the time.
    fn settings(&mut self) -> &'static [&'static str] {
        match self.luck.random_range(0..2) {
            0 => &[],
            _ => &["journal.checkpoint_records=1", "shop.idle=50ms"],
        }
    }

    fn begin_again(&mut self) -> Result<Served, Said> {
        let settings = self.settings();
        self.launch(settings).begin().ready()
    }

    /// What follows every fault: a start that serves and has everything. With `twice`, an orderly stop and a start
    /// again, after which it must be so still: what comes back from memory alone is gone then.
    pub fn recover(&mut self, twice: bool) -> Result<Served, Lost> {
        let served = self.begin_again();
        let served = served.map_err(|said| vec![format!("it does not start: {said:?}")])?;
        self.configure(&served);
        let lost = self.hold(&served, false);
        if !lost.is_empty() {
            return Err(lost);
        }
        if !twice {
            return Ok(served);
        }
        let said = served.stop();
        if !said.status.success() {
            return Err(vec![format!("it does not stop in order: {said:?}")]);
        }
        let served = self.begin_again();
        let served = served.map_err(|said| vec![format!("it does not start again: {said:?}")])?;
        let lost = self.hold(&served, true);
        if lost.is_empty() {
            Ok(served)
        } else {
            Err(lost)
        }
    }

    /// Answers so far.
    pub fn acknowledged(&self) -> usize {
        let tenants = self.tenants.iter().map(|tenant| tenant.acknowledged);
        self.account.acknowledged + tenants.sum::<usize>()
    }

    /// `verify` and `export` find nothing on a folder that nobody serves.
    pub fn hold_export(&self) -> Lost {
        self.account.hold_export(&self.data, self.place())
    }
}

fn launch(data: &Path, settings: &[&str], recorder: Option<&Recorder>) -> Launch {
    let launch = Launch::with_keys(data).set(&SMALL).set(settings);
    let launch = launch.set(&["webhook.private_addresses=true", "webhook.timeout=1s"]);
    match recorder {
        Some(recorder) => launch.recorded(recorder),
        None => launch,
    }
}

/// What was acknowledged before a backup.
pub struct Before {
    account: Account,
    deeds: Vec<(String, usize)>,
    sent: usize,
}

impl Before {
    /// What there is now that nobody works.
    pub fn of(world: &World) -> Before {
        let deeds = world
            .tenants
            .iter()
            .map(|tenant| (tenant.shop.clone(), tenant.deeds()));
        Before {
            account: world.account.clone(),
            deeds: deeds.collect(),
            sent: world.sent.len(),
        }
    }

    /// Holds a server that was restored against it: what came since may be there or not.
    pub fn hold(&self, world: &World, served: &Served) -> Lost {
        let mut account = self.account.clone();
        for mut sent in world.sent[self.sent..].iter().flatten().cloned() {
            sent.results = None;
            account.write_down(vec![sent]);
        }
        let mut client = world.client(served);
        let mut lost = account.hold_or_fail(&mut client);
        for (shop, deeds) in &self.deeds {
            let tenant = world.tenants.iter().find(|tenant| tenant.shop == *shop);
            let of = tenant.map(|tenant| tenant.hold_since(*deeds, &mut client));
            lost.extend(of.unwrap_or_default());
        }
        lost
    }
}

impl Busy {
    /// Requests answered so far, but for those of tenants.
    pub fn answered(&self) -> u64 {
        self.crowd.answered()
    }

    /// Clients that were told of a fault of the server, but for tenants.
    pub fn broken(&self) -> u64 {
        self.crowd.broken()
    }

    /// Whether everybody has ended by themselves.
    pub fn is_over(&self) -> bool {
        self.crowd.is_over()
    }
}
