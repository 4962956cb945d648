//! Interfaces, addresses, routes and name servers, as far as everybody may read them.

use std::fs::read_to_string;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};
use sysinfo::Networks;

/// Entries of one list at most.
const MOST: usize = 1000;
/// The route is in use.
const ROUTE_IS_UP: u32 = 1;
/// The route leads over a gateway.
const ROUTE_HAS_GATEWAY: u32 = 2;

pub(super) fn all() -> Value {
    json!({
        "hostname": sysinfo::System::host_name(),
        "interfaces": interfaces()["interfaces"],
        "routes": routes()["routes"],
        "dns": dns(),
    })
}

pub(super) fn interfaces() -> Value {
    let networks = Networks::new_with_refreshed_list();
    let mut list: Vec<_> = networks.list().iter().take(MOST).collect();
    list.sort_by_key(|(name, _)| (*name).clone());
    let list = list.into_iter().map(|(name, data)| {
        let addresses = data.ip_networks().iter();
        let addresses = addresses
            .map(|network| json!({"address": network.addr, "prefix": network.prefix}))
            .collect::<Vec<_>>();
        // A name of the kernel: it holds no slash.
        let state = read_to_string(format!("/sys/class/net/{name}/operstate"));
        json!({
            "name": name,
            "mac": data.mac_address().to_string(),
            "mtu": data.mtu(),
            "state": state.ok().map(|state| state.trim().to_owned()),
            "addresses": addresses,
            "received": data.total_received(),
            "sent": data.total_transmitted(),
        })
    });
    json!({ "interfaces": list.collect::<Vec<_>>() })
}

pub(super) fn routes() -> Value {
    let v4 = read_to_string("/proc/net/route").unwrap_or_default();
    let v6 = read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let routes = v4.lines().skip(1).filter_map(route_v4);
    let routes = routes.chain(v6.lines().filter_map(route_v6));
    json!({ "routes": routes.take(MOST).collect::<Vec<_>>() })
}

/// A line of `/proc/net/route`: addresses are hexadecimal, the last byte first.
fn route_v4(line: &str) -> Option<Value> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [
        interface,
        destination,
        gateway,
        flags,
        _,
        _,
        metric,
        mask,
        ..,
    ] = fields[..]
    else {
        return None;
    };
    let number = |text| u32::from_str_radix(text, 16).ok();
    let address = |text| number(text).map(|n| Ipv4Addr::from(n.swap_bytes()));
    let flags = number(flags).filter(|flags| flags & ROUTE_IS_UP != 0)?;
    Some(json!({
        "interface": interface,
        "destination": address(destination)?,
        "prefix": number(mask)?.count_ones(),
        "gateway": (flags & ROUTE_HAS_GATEWAY != 0).then(|| address(gateway)).flatten(),
        "metric": metric.parse::<u32>().ok(),
    }))
}

/// A line of `/proc/net/ipv6_route`.
fn route_v6(line: &str) -> Option<Value> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [
        destination,
        prefix,
        _,
        _,
        gateway,
        metric,
        _,
        _,
        flags,
        interface,
    ] = fields[..]
    else {
        return None;
    };
    let number = |text| u32::from_str_radix(text, 16).ok();
    let address = |text| u128::from_str_radix(text, 16).ok().map(Ipv6Addr::from);
    let flags = number(flags).filter(|flags| flags & ROUTE_IS_UP != 0)?;
    Some(json!({
        "interface": interface,
        "destination": address(destination)?,
        "prefix": number(prefix)?,
        "gateway": (flags & ROUTE_HAS_GATEWAY != 0).then(|| address(gateway)).flatten(),
        "metric": number(metric),
    }))
}

pub(super) fn dns() -> Value {
    resolv_conf(&read_to_string("/etc/resolv.conf").unwrap_or_default())
}

fn resolv_conf(text: &str) -> Value {
    let words = |key: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.trim().strip_prefix(key))
            .filter(|rest| rest.starts_with(char::is_whitespace))
            .flat_map(str::split_whitespace)
            .take(MOST)
            .map(str::to_owned)
            .collect()
    };
    json!({"servers": words("nameserver"), "search": words("search")})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's tables are read as proc(5) describes them.
    #[test]
    fn routes_are_read() {
        let line = "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0";
        assert_eq!(
            route_v4(line).unwrap(),
            json!({"interface": "eth0", "destination": "0.0.0.0", "prefix": 0,
                "gateway": "192.168.2.1", "metric": 100})
        );
        let down = "eth0\t0002A8C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        assert_eq!(route_v4(down), None);
        let line = "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 \
            00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0";
        assert_eq!(
            route_v6(line).unwrap(),
            json!({"interface": "eth0", "destination": "fe80::", "prefix": 64,
                "gateway": null, "metric": 256})
        );
        assert_eq!((route_v4("nonsense"), route_v6("x y")), (None, None));
    }

    #[test]
    fn name_servers_are_read() {
        let text = "# nameserver 9.9.9.9\nnameserver 127.0.0.53\nsearch a.example b.example\n";
        assert_eq!(
            resolv_conf(text),
            json!({"servers": ["127.0.0.53"], "search": ["a.example", "b.example"]})
        );
    }
}
