//! Ownership of a data folder: what other users of the machine can read, which files root leaves, and which shop a key
//! opens.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::deadline::Deadline;
use crate::support::keyed::Keyed;
use crate::support::privilege::cannot_run;
use crate::support::served::{argument, clear_variables, folder, program, run};
use serde_json::json;

/// All files and folders from here down, this one among them.
fn all(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder").flatten() {
            found.extend(all(&entry.path()));
        }
    }
    found
}

/// What others may read of a folder.
fn open_to_others(path: &Path) -> Vec<String> {
    let open = all(path).into_iter().filter(|path| {
        let mode = path.symlink_metadata().expect("there").permissions().mode();
        mode & 0o077 != 0
    });
    open.map(|path| path.display().to_string()).collect()
}

/// The program under the umask that most systems have.
fn usual() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 022; exec \"$@\"", "sh"]);
    command.arg(program().get_program());
    clear_variables(&mut command);
    command
}

fn usual_run(arguments: &[&str]) -> String {
    let output = usual().args(arguments).output().expect("its output");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {err}");
    err
}

#[test]
fn nobody_else_reads_a_folder_or_a_backup() {
    let (folder, data) = folder();
    let server = Keyed::by(usual(), &data, &[]);
    let made = json!({"policy": {}});
    let shop = server.ask(&server.admin, "PUT", "/v1/shops/s", Some(&made));
    assert_eq!(shop.0, 200, "{shop:?}");
    let none: Vec<String> = Vec::new();
    assert_eq!(open_to_others(&data), none, "while it runs");
    let backup = folder.path().join("backup");
    usual_run(&[
        "backup",
        "--to",
        argument(&backup),
        "--data",
        argument(&data),
    ]);
    server.stop();
    assert_eq!(open_to_others(&data), none);
    assert_eq!(open_to_others(&backup), none);
    // As a release before this one left it, in somebody's home.
    for path in all(&data) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    }
    std::fs::write(data.join("xiaoer.toml"), "").expect("settings");
    std::fs::set_permissions(data.join("xiaoer.toml"), PermissionsExt::from_mode(0o644))
        .expect("a mode");
    Keyed::by(usual(), &data, &[]).stop();
    assert_eq!(
        open_to_others(&data),
        [argument(&data.join("xiaoer.toml"))],
        "a person's own file is theirs"
    );
}

#[test]
fn what_root_does_to_a_folder_locks_its_owner_out_of_nothing() {
    if !rustix::process::geteuid().is_root() {
        return cannot_run("what root does to a folder", "it is not root");
    }
    let (_folder, data) = folder();
    Keyed::start(&data, &[]).stop();
    let (uid, gid) = (12_345, 23_456);
    for path in all(&data) {
        std::os::unix::fs::lchown(path, Some(uid), Some(gid)).expect("an owner");
    }
    let strangers = || {
        let all = all(&data).into_iter();
        let other = all.filter(|path| {
            let metadata = path.symlink_metadata().expect("there");
            (metadata.uid(), metadata.gid()) != (uid, gid)
        });
        other
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
    };
    let at = argument(&data);
    let backup = data.with_extension("backup");
    for arguments in [
        &[
            "key", "new", "--scope", "events", "--shop", "s", "--name", "till", "--data", at,
        ][..],
        &["verify", "--data", at],
        &["export", "--data", at],
        &["backup", "--to", argument(&backup), "--data", at],
    ] {
        let said = run(arguments);
        assert!(said.status.success(), "{arguments:?}: {said:?}");
        let none: Vec<String> = Vec::new();
        assert_eq!(strangers(), none, "{arguments:?}");
    }
    let listed = run(&["key", "list", "--data", at]).out;
    let id = listed.lines().find(|line| line.ends_with("till"));
    let id = &id.expect("the new key")[..8];
    assert!(run(&["key", "revoke", id, "--data", at]).status.success());
    let none: Vec<String> = Vec::new();
    assert_eq!(strangers(), none, "after a key was taken back");
}

#[test]
fn a_key_for_a_shop_that_is_not_there_is_made_with_a_warning() {
    let (_folder, data) = folder();
    let at = argument(&data);
    let new = |shop: &str| {
        let said = run(&[
            "key", "new", "--scope", "events", "--shop", shop, "--data", at,
        ]);
        assert!(
            said.status.success() && said.out.starts_with("xek_"),
            "{said:?}"
        );
        said.err
    };
    assert!(new("early").contains("has no shop \"early\""));
    let server = Keyed::start(&data, &[]);
    let admin = run(&["key", "new", "--scope", "admin", "--data", at]);
    let admin = admin.out.trim();
    let made = json!({"policy": {}});
    let known = Deadline::seconds(60).poll(|| {
        let put = server.ask(admin, "PUT", "/v1/shops/tea", Some(&made));
        (put.0 == 200).then_some(())
    });
    assert!(known.is_some(), "the admin's key is not known");
    assert_eq!(new("tea"), "", "beside a server");
    assert!(new("nosuch").contains("warning") && new("nosuch").contains("has no shop \"nosuch\""));
    server.stop();
    assert_eq!(new("tea"), "", "without a server");
    assert!(new("nosuch").contains("has no shop \"nosuch\""));
    // A folder that is in use, by something that gives no answer.
    let lock = std::fs::File::open(data.join("LOCK")).expect("the lock");
    lock.try_lock().expect("nobody has it");
    assert!(new("tea").contains("could not be checked"));
}

#[test]
fn the_old_owners_key_never_opens_the_next_shop_of_that_name() {
    let (_folder, data) = folder();
    let server = Keyed::start(&data, &[]);
    let admin = server.admin.clone();
    let made = json!({"policy": {}});
    let status = |key: &str, method: &str, path: &str, body: Option<&serde_json::Value>| {
        server.ask(key, method, path, body).0
    };
    assert_eq!(status(&admin, "PUT", "/v1/shops/tea", Some(&made)), 200);
    let wanted = json!({"scope": "owner", "shop": "tea"});
    let (_, key) = server.ask(&admin, "POST", "/v1/keys", Some(&wanted));
    let key = key["key"].as_str().expect("a key").to_owned();
    assert_eq!(status(&key, "GET", "/v1/shops/tea/agents", None), 200);
    // The file of keys cannot be written: what a full disk comes to.
    let beside = data.join("keys.json.new");
    std::fs::create_dir_all(beside.join("full")).expect("a folder");
    let (told, problem) = server.ask(&admin, "DELETE", "/v1/shops/tea", None);
    assert_eq!(told, 500, "{problem}");
    assert!(!problem.to_string().contains(argument(&data)), "{problem}");
    assert_eq!(status(&key, "GET", "/v1/shops/tea/agents", None), 401);
    assert_eq!(status(&admin, "PUT", "/v1/shops/tea", Some(&made)), 200);
    assert_eq!(status(&key, "GET", "/v1/shops/tea/agents", None), 401);
    drop(server);
    // Nor after a kill, by which the file still has the key.
    let text = std::fs::read_to_string(data.join("keys.json")).expect("the keys");
    assert!(text.contains(&key[4..12]), "{text}");
    let server = Keyed::start(&data, &[]);
    let status = |key: &str, method: &str, path: &str, body: Option<&serde_json::Value>| {
        server.ask(key, method, path, body).0
    };
    assert_eq!(status(&key, "GET", "/v1/shops/tea/agents", None), 401);
    // A second DELETE finishes the first: of a shop that is gone, where the keys are all that is left.
    assert_eq!(status(&admin, "DELETE", "/v1/shops/tea", None), 500);
    std::fs::remove_dir_all(&beside).expect("room again");
    assert_eq!(status(&admin, "DELETE", "/v1/shops/tea", None), 204);
    assert_eq!(status(&admin, "DELETE", "/v1/shops/tea", None), 404);
    let text = std::fs::read_to_string(data.join("keys.json")).expect("the keys");
    assert!(!text.contains(&key[4..12]), "{text}");
    server.stop();
}
