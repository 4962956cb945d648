//! Bluetooth adapters and the devices that they know, as the kernel lists them for everybody.

use std::fs::{read_dir, read_to_string};
use std::path::Path;

use serde_json::{Value, json};

/// Entries of the folder that are looked at.
const MOST: usize = 1000;

/// P5: a machine without an adapter says so.
pub(super) fn all(folder: &Path) -> Value {
    let mut names: Vec<String> = read_dir(folder)
        .into_iter()
        .flatten()
        .take(MOST)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    // `hci0` is an adapter, `hci0:42` a device that is connected to it.
    let (devices, adapters): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.contains(':'));
    let about = |name: &String| {
        let read = |file: &str| {
            let text = read_to_string(folder.join(name).join(file)).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        json!({
            "name": name,
            "adapter": name.split_once(':').map(|(adapter, _)| adapter),
            "address": read("address"),
            "type": read("type"),
        })
    };
    json!({
        "present": !adapters.is_empty(),
        "adapters": adapters.into_iter().map(about).collect::<Vec<_>>(),
        "devices": devices.into_iter().map(about).collect::<Vec<_>>(),
    })
}
