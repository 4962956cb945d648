//! The walk as data: every route, and what it answers to whom.

/// A route, where it is asked, with which body, and what nobody, a viewer, an operator and an
/// administrator are answered. Bodies are such that asking twice is the same as asking once.
pub struct Line(
    pub &'static str,
    pub &'static str,
    pub &'static str,
    pub &'static str,
    pub [u16; 4],
);

/// Of the same role in every place: 401 without a sign-in, then from which role on.
const VIEWER: [u16; 4] = [401, 200, 200, 200];
const OPERATOR: [u16; 4] = [401, 403, 200, 200];
const ADMIN: [u16; 4] = [401, 403, 403, 200];
/// The role is there, and what is asked for is not; or it is not as it should be.
const VIEWER_404: [u16; 4] = [401, 404, 404, 404];
const OPERATOR_404: [u16; 4] = [401, 403, 404, 404];
const ADMIN_404: [u16; 4] = [401, 403, 403, 404];
const ADMIN_422: [u16; 4] = [401, 403, 403, 422];
/// For everybody.
const OPEN: [u16; 4] = [200; 4];

#[rustfmt::skip]
pub const TABLE: &[Line] = &[
    Line("GET", "/openapi.json", "/openapi.json", "", OPEN),
    Line("GET", "/session", "/session", "", OPEN),
    Line("POST", "/session", "/session", "{}", [422; 4]),
    Line("DELETE", "/session", "/session", "", OPEN),
    Line("PUT", "/session/password", "/session/password", "{}", [401, 422, 422, 422]),
    Line("GET", "/overview", "/overview", "", VIEWER),
    Line("GET", "/system", "/system", "", VIEWER),
    Line("GET", "/system/configuration", "/system/configuration", "", ADMIN),
    Line("GET", "/system/backup", "/system/backup", "", ADMIN),
    Line("GET", "/channels", "/channels", "", VIEWER),
    Line("GET", "/channels/{topic}", "/channels/room", "", VIEWER),
    Line("DELETE", "/channels/{topic}", "/channels/none", "", OPERATOR_404),
    Line("GET", "/channels/{topic}/members", "/channels/room/members", "", VIEWER),
    Line("DELETE", "/channels/{topic}/members/{id}", "/channels/room/members/none", "", OPERATOR_404),
    Line("POST", "/channels/{topic}/events", "/channels/room/events", r#"{"event":"walk","payload":1}"#, OPERATOR),
    Line("GET", "/members", "/members", "", VIEWER),
    Line("GET", "/presence", "/presence?topic=room", "", VIEWER),
    Line("POST", "/publish", "/publish", r#"{"topic":"room","event":"walk","payload":1}"#, OPERATOR),
    Line("GET", "/definitions", "/definitions", "", VIEWER),
    Line("PUT", "/definitions", "/definitions", r#"{"pattern":"walk","join":"public"}"#, ADMIN),
    Line("DELETE", "/definitions/{pattern}", "/definitions/none", "", ADMIN_404),
    Line("GET", "/connections", "/connections", "", VIEWER),
    Line("DELETE", "/connections/{id}", "/connections/none", "", OPERATOR_404),
    Line("GET", "/activity", "/activity", "", ADMIN),
    Line("GET", "/activity/export", "/activity/export", "", ADMIN),
    Line("GET", "/activity/principals", "/activity/principals", "", ADMIN),
    // No plugin is there: whoever may ask is told so.
    Line("GET", "/plugins", "/plugins", "", VIEWER),
    Line("GET", "/plugins/{name}/{path}", "/plugins/none/a/b", "", VIEWER_404),
    Line("POST", "/plugins/{name}/{path}", "/plugins/none/a/b", "", OPERATOR_404),
    Line("PUT", "/plugins/{name}/{path}", "/plugins/none/a/b", "", OPERATOR_404),
    Line("DELETE", "/plugins/{name}/{path}", "/plugins/none/a/b", "", OPERATOR_404),
    Line("GET", "/network", "/network", "", VIEWER_404),
    Line("GET", "/network/{part}", "/network/interfaces", "", VIEWER_404),
    Line("GET", "/bluetooth", "/bluetooth", "", VIEWER_404),
    Line("GET", "/utils", "/utils", "", VIEWER_404),
    Line("GET", "/utils/{thing}", "/utils/time", "", VIEWER_404),
    Line("POST", "/utils/{thing}", "/utils/hash", "", OPERATOR_404),
    Line("GET", "/system/services", "/system/services", "", ADMIN_404),
    Line("GET", "/system/services/{name}", "/system/services/none", "", ADMIN_404),
    Line("POST", "/system/services/{name}", "/system/services/none", "{}", ADMIN_404),
    Line("POST", "/auth/token", "/auth/token", r#"{"channels":["room"]}"#, OPERATOR),
    // What an administrator may, only an administrator gives away.
    Line("POST", "/auth/token", "/auth/token", r#"{"channels":["admin"]}"#, ADMIN),
    Line("POST", "/auth/token", "/auth/token", r#"{"channels":["admin:watch:room"]}"#, ADMIN),
    Line("POST", "/auth/token", "/auth/token", r#"{"channels":["room"],"allow":["admin"]}"#, ADMIN),
    Line("GET", "/auth/tokens", "/auth/tokens", "", OPERATOR),
    Line("DELETE", "/auth/tokens/{jti}", "/auth/tokens/none", "", OPERATOR_404),
    Line("POST", "/auth/introspect", "/auth/introspect", r#"{"token":"x"}"#, OPERATOR),
    Line("POST", "/auth/revoke", "/auth/revoke", r#"{"jti":"none"}"#, OPERATOR_404),
    Line("GET", "/auth/keys", "/auth/keys", "", ADMIN),
    Line("POST", "/auth/keys/rotate", "/auth/keys/rotate", "{}", ADMIN),
    Line("DELETE", "/auth/keys/{kid}", "/auth/keys/none", "", ADMIN_404),
    Line("GET", "/auth/issuers", "/auth/issuers", "", ADMIN),
    Line("GET", "/auth/users", "/auth/users", "", ADMIN),
    Line("POST", "/auth/users", "/auth/users", r#"{"name":"walker","role":"viewer","password":"short"}"#, ADMIN_422),
    Line("PUT", "/auth/users/{id}", "/auth/users/none", "{}", ADMIN_404),
    Line("DELETE", "/auth/users/{id}", "/auth/users/none", "", ADMIN_404),
    Line("GET", "/auth/sessions", "/auth/sessions", "", VIEWER),
    Line("DELETE", "/auth/sessions/{id}", "/auth/sessions/none", "", VIEWER_404),
    Line("GET", "/auth/api-keys", "/auth/api-keys", "", ADMIN),
    Line("POST", "/auth/api-keys", "/auth/api-keys", r#"{"name":"A b","role":"viewer"}"#, ADMIN_422),
    Line("DELETE", "/auth/api-keys/{id}", "/auth/api-keys/none", "", ADMIN_404),
];

/// What stands beside the API, and is walked in tests of its own: `tokens`, `metrics`, `long_poll`,
/// `joining`, `attacks::origins`.
#[rustfmt::skip]
pub const BESIDE: &[(&str, &str)] = &[
    ("POST", "/token"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/websocket"),
    ("GET", "/longpoll"),
    ("POST", "/longpoll"),
    ("OPTIONS", "/longpoll"),
];
