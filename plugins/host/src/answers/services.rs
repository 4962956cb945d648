//! P17: services of the machine that administrators may look at, start and stop.
//!
//! Only services that were named with `--allow-service`, each by exactly that name. The service
//! manager is run as a program with arguments, never through a shell, and only with names of that
//! list: nothing that comes from outside is an argument.

use std::ffi::OsString;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_plugin::http::{Answer, Request};
use tokio::process::Command;
use tokio::time::timeout;

/// How long the service manager may take; less than the gateway waits.
const PATIENCE: Duration = Duration::from_secs(8);
/// Of what the service manager says so much is passed on.
const MAX_SAID: usize = 300;
/// What is asked of a service, and what the answer calls it.
const PROPERTIES: [(&str, &str); 5] = [
    ("LoadState", "load"),
    ("ActiveState", "active"),
    ("SubState", "sub"),
    ("UnitFileState", "enabled"),
    ("Description", "description"),
];
const ABSENT: &str = "There is no systemd on this machine, or it does not run.";

/// The list, and what manages the services.
pub(crate) struct Services {
    pub(crate) allowed: Vec<String>,
    /// `systemctl`, or what stands in its place.
    pub(crate) manager: OsString,
}

/// Whether a service may be called so: what systemd allows, and nothing that looks like a flag.
pub(crate) fn is_service_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b":_.@\\-".contains(&b);
    !name.is_empty() && name.len() <= 255 && !name.starts_with('-') && name.bytes().all(fits)
}

/// Why the service manager has not done it.
enum Trouble {
    Absent,
    Failed(String),
}

impl Trouble {
    fn answer(self) -> Answer {
        match self {
            Trouble::Absent => Answer::refused(503, ABSENT),
            Trouble::Failed(why) => Answer::refused(502, why),
        }
    }
}

impl Services {
    /// Answers for the whole list where `name` is empty, else for one service.
    pub(super) async fn answer(&self, request: &Request, name: &str) -> Answer {
        if request.role != "admin" {
            return Answer::refused(403, "Services are for administrators.");
        }
        if name.is_empty() {
            if !request.looks() {
                return Answer::refused(405, "Name a service to start or stop it.");
            }
            return Answer::ok(json!({ "allowed": self.allowed }));
        }
        let Some(name) = self.allowed.iter().find(|allowed| *allowed == name) else {
            let why = format!("The service {name:?} is not on the list of allowed services.");
            return Answer::refused(403, why);
        };
        if request.looks() {
            return self.status(name).await;
        }
        if request.method != "POST" {
            return Answer::refused(
                405,
                "A service is looked at with GET and steered with POST.",
            );
        }
        match request.body.get("action").and_then(Value::as_str) {
            Some("status") => self.status(name).await,
            Some(action @ ("start" | "stop")) => {
                match self.run(&[action, "--no-ask-password", "--", name]).await {
                    Ok(_) => self.status(name).await,
                    Err(trouble) => trouble.answer(),
                }
            }
            _ => Answer::refused(422, "The action is start, stop or status."),
        }
    }

    async fn status(&self, name: &str) -> Answer {
        let wanted = PROPERTIES.map(|(property, _)| property).join(",");
        let wanted = format!("--property={wanted}");
        let output = match self.run(&["show", "--no-pager", &wanted, "--", name]).await {
            Ok(output) => output,
            // P5: what is not there is an answer.
            Err(Trouble::Absent) => {
                return Answer::ok(json!({"name": name, "present": false, "detail": ABSENT}));
            }
            Err(trouble) => return trouble.answer(),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let mut status = json!({"name": name, "present": true});
        for (property, called) in PROPERTIES {
            let value = text
                .lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| *key == property);
            status[called] = json!(value.map(|(_, value)| short(value)));
        }
        Answer::ok(status)
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output, Trouble> {
        let running = Command::new(&self.manager)
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = match timeout(PATIENCE, running).await {
            Err(_) => {
                let why = "The service manager did not answer in time; look at the status again.";
                return Err(Trouble::Failed(why.to_owned()));
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Trouble::Absent);
            }
            Ok(Err(error)) => {
                let why = format!("The service manager cannot be run: {error}");
                return Err(Trouble::Failed(why));
            }
            Ok(Ok(output)) => output,
        };
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("not been booted with systemd") {
            return Err(Trouble::Absent);
        }
        let why = format!("The service manager refused: {}", short(said.trim()));
        Err(Trouble::Failed(why))
    }
}

/// One line, and not a long one.
fn short(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MAX_SAID).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P17: no name is an option of the service manager, or more than a name.
    #[test]
    fn names_of_services() {
        for name in ["nginx", "getty@tty1.service", r"dev-disk\x2da.device"] {
            assert!(is_service_name(name), "{name}");
        }
        for name in ["", "-H", "--now", "a b", "a;b", "a/b", "$(x)", "a\n", "*"] {
            assert!(!is_service_name(name), "{name}");
        }
    }
}
