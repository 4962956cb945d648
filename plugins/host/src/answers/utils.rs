//! Small things that are asked of a machine.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Zoned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use sysinfo::{Disks, System};
use tidegate_plugin::http::{Answer, Request};
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long a name server may take.
const RESOLVE_PATIENCE: Duration = Duration::from_secs(4);
/// Addresses of one name, and disks, at most.
const MOST: usize = 100;
/// The longest name of a host, in characters (RFC 1035).
const MAX_NAME: usize = 253;

pub(super) fn time() -> Value {
    let now = Zoned::now();
    json!({
        "utc": now.timestamp().to_string(),
        "local": now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
        "zone": now.time_zone().iana_name(),
        "offset": now.offset().seconds(),
        "milliseconds": now.timestamp().as_millisecond(),
    })
}

pub(super) fn hostname() -> Value {
    json!({ "hostname": System::host_name() })
}

pub(super) fn uptime() -> Value {
    json!({"seconds": System::uptime(), "since": System::boot_time()})
}

pub(super) fn uuid() -> Value {
    json!({ "uuid": uuid::Uuid::now_v7().to_string() })
}

pub(super) fn disk() -> Value {
    let disks = Disks::new_with_refreshed_list();
    let disks = disks.list().iter().take(MOST).map(|disk| {
        let (total, free) = (disk.total_space(), disk.available_space());
        json!({
            "mounted": disk.mount_point().to_string_lossy(),
            "device": disk.name().to_string_lossy(),
            "system": disk.file_system().to_string_lossy(),
            "total": total,
            "free": free,
            "used": total.saturating_sub(free),
        })
    });
    json!({ "disks": disks.collect::<Vec<_>>() })
}

/// The addresses of a name, from the machine's own resolver.
pub(super) async fn resolve(request: &Request) -> Answer {
    let name = request.query.get("name").map_or("", String::as_str);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Answer::refused(
            422,
            "Give the name of a host: utils/resolve?name=example.com",
        );
    }
    match timeout(RESOLVE_PATIENCE, lookup_host((name, 0))).await {
        Err(_) => Answer::refused(504, format!("No name server answers for {name}.")),
        Ok(Err(error)) => Answer::refused(404, format!("{name} is not known: {error}")),
        Ok(Ok(found)) => {
            let mut addresses: Vec<_> = found.map(|address| address.ip()).collect();
            addresses.sort();
            addresses.dedup();
            addresses.truncate(MOST);
            Answer::ok(json!({"name": name, "addresses": addresses}))
        }
    }
}

/// A hash of a text, from the query or from a JSON body.
pub(super) fn hash(request: &Request) -> Answer {
    let given = |name: &str| {
        let in_body = request.body.get(name).and_then(Value::as_str);
        in_body.or(request.query.get(name).map(String::as_str))
    };
    let Some(text) = given("text") else {
        return Answer::refused(422, "Give the text: utils/hash?text=...");
    };
    let algorithm = given("algorithm").unwrap_or("sha256");
    let hash = match algorithm {
        "sha256" => hex(&Sha256::digest(text.as_bytes())),
        "sha512" => hex(&Sha512::digest(text.as_bytes())),
        _ => return Answer::refused(422, "The algorithm is sha256 or sha512."),
    };
    Answer::ok(json!({"algorithm": algorithm, "hash": hash}))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
