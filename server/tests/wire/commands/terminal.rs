//! Passwords at a terminal: asked twice, and never shown.

use super::{Place, ok};
use crate::gateway::command;
use crate::metrics::python;

/// Runs a command at a terminal of its own, answers what it asks, and prints what the terminal showed.
const TERMINAL: &str = r#"
import os, pty, sys
answers = sys.argv[1].split(",")
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
def more():
    global shown
    try:
        got = os.read(terminal, 4096)
    except OSError:
        got = b""
    shown += got
    return got
for asks, answer in zip([b"Password: ", b"The same again: "], answers):
    while asks not in shown:
        if not more(): sys.exit("ended: " + shown.decode())
    os.write(terminal, answer.replace("^C", "\x03").encode() + (b"" if "^C" in answer else b"\n"))
while more(): pass
print(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

async fn at_terminal(place: &Place, answers: &str, args: &[&str]) -> (bool, String) {
    let program = command();
    let program = program.as_std().get_program().to_owned();
    let run = tokio::process::Command::new(python())
        .args(["-c", TERMINAL, answers])
        .arg(program)
        .args(args)
        .args(place.by_folder())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(crate::gateway::PATIENCE, run);
    let output = output.await.unwrap().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let shown = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), shown + &complaint)
}

/// Section 6: the password is asked on the terminal without echo; Ctrl-C changes nothing.
#[tokio::test]
async fn a_password_is_asked_and_not_shown() {
    let place = Place::new().await;
    let add = ["user", "add", "olga"];
    for (answers, says) in [
        ("battery staple,battery stable", "the two passwords differ"),
        ("battery ^C", "nothing was entered"),
    ] {
        let (good, shown) = at_terminal(&place, answers, &add).await;
        assert!(!good && shown.contains(says), "{shown}");
        assert!(!shown.contains("battery"), "{shown}");
    }
    assert!(
        !ok(&place.by_folder(), &["user", "list"])
            .await
            .contains("olga")
    );
    let answers = "battery staple,battery staple";
    let (good, shown) = at_terminal(&place, answers, &add).await;
    assert!(
        good && shown.contains("Added user olga as viewer."),
        "{shown}"
    );
    assert!(!shown.contains("battery"), "{shown}");
}
