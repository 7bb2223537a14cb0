//! Unusable data folders: in use, of a newer version, without permission, read-only, not a folder, or on a full disk.
//! Each is refused with a message, and nothing in it is changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::desk;
use crate::support::privilege::{Mounted, cannot_run};
use crate::support::served::{Launch, SMALL, Said, argument, folder, program, run};

fn launch(data: &Path) -> Launch {
    Launch::on(data).set(&SMALL)
}

/// A folder that was used and closed.
fn used(data: &Path) {
    let served = launch(data).start();
    desk::configure(&mut served.client());
    let said = served.stop();
    assert!(said.status.success(), "{said:?}");
}

/// It did not start, and said why in words that name `what`.
fn refused(launch: Launch, codes: &[i32], what: &str) -> Said {
    let Err(said) = launch.begin().ready() else {
        panic!("it started, where it should have named {what}");
    };
    let right = said.code().is_some_and(|code| codes.contains(&code));
    assert!(
        said.is_orderly() && right && said.err.contains(what),
        "not {codes:?} and {what}: {said:?}"
    );
    said
}

#[test]
fn a_second_server_on_one_folder_is_refused() {
    let (_place, data) = folder();
    let served = launch(&data).start();
    refused(launch(&data), &[2], argument(&data));
    // The first one is not disturbed, and gone, it leaves nothing behind that would stop the next.
    desk::configure(&mut served.client());
    served.kill();
    drop(launch(&data).start());
}

#[test]
fn a_folder_of_a_newer_version_is_refused() {
    let (_place, data) = folder();
    used(&data);
    let version = data.join("VERSION");
    let before = fs::read_to_string(&version).expect("a version");
    fs::write(&version, "99\n").expect("a version");
    refused(launch(&data), &[2], "99");
    for command in ["verify", "export"] {
        let said = run(&[command, "--data", argument(&data)]);
        assert!(
            said.is_orderly() && said.code() == Some(2) && said.err.contains("99"),
            "{said:?}"
        );
    }
    for text in ["", "one\n", "-1\n"] {
        fs::write(&version, text).expect("a version");
        refused(launch(&data), &[2], "VERSION");
    }
    fs::write(&version, before).expect("a version");
    drop(launch(&data).start());
}

#[test]
fn a_file_is_no_folder() {
    let (_place, data) = folder();
    fs::write(&data, "not a folder").expect("a file");
    refused(launch(&data), &[2, 74], argument(&data));
    assert_eq!(fs::read_to_string(&data).expect("the file"), "not a folder");
}

#[test]
fn a_folder_without_permission_is_refused() {
    let (place, data) = folder();
    used(&data);
    let close = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode));
    close(0o000).expect("its permissions");
    let launched = if rustix::process::geteuid().is_root() {
        // Nothing is closed to root, so the server runs as nobody.
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        let server = program().get_program().to_owned();
        let mut nobody = std::process::Command::new("setpriv");
        nobody
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(server);
        let mut tried = std::process::Command::new("setpriv");
        tried.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        tried.arg(program().get_program()).arg("--version");
        if !tried.output().is_ok_and(|output| output.status.success()) {
            close(0o755).expect("its permissions");
            return cannot_run("the test of permissions", "nobody may not run the program");
        }
        Launch::by(nobody, &data).set(&SMALL)
    } else {
        launch(&data)
    };
    refused(launched, &[2, 74], argument(&data));
    close(0o755).expect("its permissions");
    drop(launch(&data).start());
}

#[test]
fn a_folder_that_can_only_be_read_is_refused() {
    let (place, _) = folder();
    let disk = match Mounted::memory(&place.path().join("disk"), 64 << 20) {
        Ok(disk) => disk,
        Err(why) => return cannot_run("the test of a read-only folder", &why),
    };
    let data = disk.at.join("data");
    used(&data);
    disk.read_only().expect("a disk to read");
    refused(launch(&data), &[2, 74], argument(&data));
    refused(launch(&disk.at.join("new")), &[2, 74], "new");
}

#[test]
fn a_new_folder_on_a_full_disk_is_refused() {
    let (place, _) = folder();
    let disk = match Mounted::memory(&place.path().join("disk"), 4 << 20) {
        Ok(disk) => disk,
        Err(why) => return cannot_run("the test of a disk that is full from the start", &why),
    };
    let _ = fs::write(disk.at.join("junk"), vec![7; 8 << 20]);
    let data = disk.at.join("data");
    refused(launch(&data), &[2, 74], argument(&data));
    fs::remove_file(disk.at.join("junk")).expect("the junk goes");
    // What the refused start has left is no obstacle once there is room, which here is little.
    let small = ["journal.ballast_bytes=65536", "journal.reserve_bytes=65536"];
    drop(Launch::on(&data).set(&small).start());
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let (_place, data) = folder();
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("letters.txt"), "dear").expect("a file");
    for command in ["verify", "export"] {
        let said = run(&[command, "--data", argument(&data)]);
        assert!(
            said.is_orderly() && said.code() == Some(2),
            "{command}: {said:?}"
        );
    }
    for command in ["verify", "export"] {
        let said = run(&[command, "--data", argument(&data.join("nowhere"))]);
        assert!(
            said.is_orderly() && said.code() == Some(2),
            "{command}: {said:?}"
        );
    }
    assert!(!data.join("nowhere").exists(), "looking made a folder");
    assert_eq!(
        fs::read_to_string(data.join("letters.txt")).expect("the file"),
        "dear"
    );
    assert_eq!(
        fs::read_dir(&data).expect("the folder").count(),
        1,
        "looking left something"
    );
}

/// Takes all room that is left.
fn fill_up(junk: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(junk).expect("a file");
    for size in [1 << 20, 1 << 12, 1 << 6, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

#[test]
fn a_start_on_a_full_disk_without_ballast_serves_once_there_is_room() {
    let (place, _) = folder();
    let disk = match Mounted::memory(&place.path().join("disk"), 48 << 20) {
        Ok(disk) => disk,
        Err(why) => return cannot_run("the test of a start on a full disk", &why),
    };
    let data = disk.at.join("data");
    let launch = || Launch::on(&data).set(&["journal.reserve_bytes=1MiB"]);
    let without = |launch: Launch| launch.set(&["journal.ballast_bytes=0"]);
    let served = without(launch()).start();
    desk::configure(&mut served.client());
    served.kill();
    let junk = disk.at.join("junk");
    fill_up(&junk);
    let said = refused(without(launch()), &[74], "the disk is full");
    assert!(!said.err.contains("backup"), "{said:?}");
    // The second is no other than the first.
    refused(without(launch()), &[74], "the disk is full");
    fs::remove_file(&junk).expect("the junk goes");
    let served = without(launch()).start();
    let mut client = served.client();
    assert_eq!(client.get("/readyz").expect("an answer").status, 200);
    let known = client.get(&desk::path(desk::SHOPS[0], "/agents"));
    assert_eq!(known.expect("an answer").status, 200);
    served.kill();
    // With the room for it, the ballast is laid by the start itself, and by one that finds a piece of it.
    for piece in [false, true] {
        let ballast = data.join("ballast");
        if piece {
            fs::write(&ballast, b"cut off").expect("a piece");
        }
        let small = ["journal.ballast_bytes=8MiB"];
        launch().set(&small).start().kill();
        let laid = fs::metadata(&ballast).map_or(0, |ballast| ballast.len());
        assert_eq!(laid, 8 << 20, "after a start, with a piece of it: {piece}");
        fs::remove_file(&ballast).expect("the ballast");
    }
}

#[test]
fn a_folder_whose_path_is_too_long_for_a_socket_is_served_and_backed_up() {
    let (place, _) = folder();
    let data = place.path().join("店".repeat(31));
    let served = launch(&data).start();
    desk::configure(&mut served.client());
    let copy = place.path().join("copy");
    let backup = ["backup", "--data", argument(&data), "--to", argument(&copy)];
    let said = run(&backup);
    assert!(said.status.success(), "while it runs: {said:?}");
    assert!(served.stop().status.success());
}

#[test]
fn a_server_without_its_control_socket_serves() {
    let (place, data) = folder();
    used(&data);
    // What cannot be taken away is in its place.
    fs::create_dir_all(data.join("control.sock/taken")).expect("a folder");
    let served = launch(&data).start();
    let mut client = served.client();
    assert_eq!(client.get("/readyz").expect("an answer").status, 200);
    let copy = place.path().join("copy");
    let backup = ["backup", "--data", argument(&data), "--to", argument(&copy)];
    let said = run(&backup);
    assert!(
        said.code() == Some(2) && said.err.contains("stop that one first"),
        "{said:?}"
    );
    let said = served.stop();
    assert!(
        said.status.success() && said.err.contains("`xiaoer backup`"),
        "{said:?}"
    );
    let _ = fs::remove_file(&copy);
    assert!(run(&backup).status.success());
}
