//! What the document says of the whole: what it is, who may ask and how one shows who one is.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server,
};

use super::super::admin::COOKIE;
use super::super::signed::SIGNATURE;

const DESCRIPTION: &str = "\
Whatever the interface shows and does it shows and does with this API, and any program may do the \
same.

**Who asks.** A browser signs in and holds a session in a cookie; whatever it changes needs the \
header `x-tidegate-request` as well, which no page of another site can send. A program shows an API \
key, or a token that allows `admin`, as `Authorization: Bearer`, or signs its requests. Each operation names the role that \
it needs; `admin` may do what `operator` may, and `operator` what `viewer` may.

**Errors** are problem details (RFC 9457): a status, a title and a sentence that says what happened \
and what to do.

**Limits** hold for each address and for each principal. An answer says in `RateLimit` and \
`RateLimit-Policy` what is left; beyond it the answer is 429, with `Retry-After`.

**Lists** come in pages: ask for the next one with `after`, and with what the one before gave as \
`next`.

Times are milliseconds since 1970 unless a field says otherwise, sizes are bytes.";

/// The beginning of the document, before there is a route in it.
pub(in crate::api) fn about() -> OpenApi {
    let license = LicenseBuilder::new()
        .name("MIT OR Apache-2.0")
        .identifier(Some("MIT OR Apache-2.0"))
        .build();
    let info = InfoBuilder::new()
        .title("Tidegate")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme("session", session())
        .security_scheme("bearer", bearer())
        .security_scheme("signature", signature())
        .security_scheme("metrics", metrics())
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .components(Some(components))
        .tags(Some(tags()))
        .build()
}

/// The groups, in the order in which they are shown.
fn tags() -> Vec<Tag> {
    [
        (
            "gateway",
            "The gateway itself: whether it is well, what it counts, its API.",
        ),
        ("session", "Signing in and out with a browser."),
        ("channels", "Channels, their members, and events for them."),
        ("connections", "Who is connected."),
        (
            "definitions",
            "What holds for channels: who may join, who may push, what is shown.",
        ),
        (
            "tokens",
            "Tokens for channels, and the keys that sign them.",
        ),
        (
            "people",
            "Users, their sessions, and the API keys of programs.",
        ),
        (
            "plugins",
            "What plugins answer over the bus, under a general rule.",
        ),
        (
            "host",
            "The machine, as its plugin `host` describes it: network, Bluetooth, services.",
        ),
        ("activity", "What was done, by whom, and what came of it."),
        (
            "sockets",
            "Where clients of Phoenix Channels connect; docs/PROTOCOL.md says what they say there.",
        ),
    ]
    .map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())
    .into()
}

fn session() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        COOKIE,
        "A browser's session: `POST /api/v1/session` begins one.",
    )))
}

fn bearer() -> SecurityScheme {
    let text = "An API key (`tgk_...`), or a token that allows `admin`.";
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(text))
            .build(),
    )
}

fn signature() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        SIGNATURE.as_str(),
        "Each request signed with the secret of `--internal-secret-file` (HMAC-SHA-256): \
         `t=<seconds since 1970>,n=<nonce>,b=<SHA-256 of the body>,v1=<signature>`, as \
         docs/PROTOCOL.md describes. `--internal-role` says what such a request may do.",
    )))
}

fn metrics() -> SecurityScheme {
    let text = "The token of `--metrics-token`.";
    SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(text))
            .build(),
    )
}
