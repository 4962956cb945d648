//! What follows from an operation's description and is added to it: its name, the errors of its
//! body, its parameters and its security, and the header that a browser's changes need.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_protocol::Role;
use tidegate_protocol::admin::Problem;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Ref, RefOr, Required, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::refusals::{header, problem};
use crate::api::admin::REQUEST_HEADER;

/// Completes every operation of the document.
pub(super) fn add(document: &mut OpenApi) {
    // Axum says of a parameter that takes the rest of the path `{*path}`, the document `{path}`.
    let paths = std::mem::take(&mut document.paths.paths).into_iter();
    document.paths.paths = paths.map(|(path, item)| (plain(&path), item)).collect();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            operation.operation_id = Some(operation_id(method, path));
            add_header(method, operation);
            add_signature(operation);
            for (status, response) in refusals(path, method, operation) {
                // What the operation says itself is more exact.
                operation
                    .responses
                    .responses
                    .entry(status.to_owned())
                    .or_insert_with(|| RefOr::T(response.build()));
            }
        }
    }
    if let Some(components) = &mut document.components {
        components
            .schemas
            .insert(Problem::name().into_owned(), Problem::schema());
        name_items(&mut components.schemas);
    }
}

/// Utoipa repeats in `Page_ChannelInfo` all that stands in `ChannelInfo`; here it is named.
fn name_items(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let known: BTreeSet<_> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let Some((_, of)) = name.split_once('_').filter(|(_, of)| known.contains(*of)) else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(of).into()));
        }
    }
}

/// The path as the document spells it.
pub(super) fn plain(path: &str) -> String {
    path.replace("{*", "{")
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
        ("options", &mut item.options),
        ("head", &mut item.head),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// `get_channels_topic_members` for `GET /api/v1/channels/{topic}/members`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(method)
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

/// The ways in which an operation takes who asks, each with the roles that it names.
fn ways(operation: &Operation) -> Vec<(String, Vec<String>)> {
    let requirements = operation.security.iter().flatten();
    requirements.flat_map(parts).collect()
}

/// Utoipa keeps them to itself, and writes them as the document has them.
fn parts(requirement: &SecurityRequirement) -> Vec<(String, Vec<String>)> {
    let written = serde_json::to_value(requirement).unwrap_or_default();
    serde_json::from_value::<BTreeMap<_, _>>(written)
        .unwrap_or_default()
        .into_iter()
        .collect()
}

fn add_header(method: &str, operation: &mut Operation) {
    let by_session = ways(operation).iter().any(|(name, _)| name == "session");
    let parameters = operation.parameters.get_or_insert_default();
    let has = parameters
        .iter()
        .any(|parameter| parameter_of(parameter).is_some_and(|p| p.name == REQUEST_HEADER));
    if by_session && changes(method) && !has {
        let text = "Any value. A browser's session must send it, a program need not.";
        let parameter = ParameterBuilder::new()
            .name(REQUEST_HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(text))
            .schema(Some(String::schema()))
            .build();
        parameters.push(RefOr::T(parameter));
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
}

/// Who may show a key may sign.
fn add_signature(operation: &mut Operation) {
    let signed = ways(operation).into_iter();
    let signed = signed.filter(|(name, _)| name == "bearer");
    let signed: Vec<_> = signed
        .map(|(_, roles)| SecurityRequirement::new("signature", roles))
        .collect();
    operation.security.get_or_insert_default().extend(signed);
}

fn changes(method: &str) -> bool {
    !["get", "head", "options"].contains(&method)
}

fn parameter_of(parameter: &RefOr<Parameter>) -> Option<&Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    }
}

/// The errors that an operation has because of what it is.
fn refusals(
    path: &str,
    method: &str,
    operation: &Operation,
) -> Vec<(&'static str, ResponseBuilder)> {
    let mut found = Vec::new();
    if path == "/longpoll" {
        found.push((
            "429",
            ResponseBuilder::new().description(
                "The address asks too often. The body is an answer with the status 500.",
            ),
        ));
    } else if path == "/token" || path.starts_with("/api/v1/") {
        let seconds = header("Seconds after which there is room again.");
        let left = header("What is left of each limit, such as `\"address\";r=0;t=2`.");
        let text = "The address, or who asks, does so too often.";
        let refused = problem(text).header("retry-after", seconds);
        found.push(("429", refused.header("ratelimit", left)));
        let seconds = header("Seconds after which it may be tried again.");
        let late = problem("The answer took longer than `--request-seconds`.");
        found.push(("503", late.header("retry-after", seconds)));
    }
    let parameters = operation.parameters.iter().flatten();
    let places: BTreeSet<_> = parameters
        .filter_map(parameter_of)
        .map(|parameter| match parameter.parameter_in {
            ParameterIn::Path => "path",
            ParameterIn::Query => "query",
            _ => "other",
        })
        .collect();
    if operation.request_body.is_some() {
        found.push((
            "400",
            problem("The body, or a parameter, is not what it should be."),
        ));
        found.push(("408", problem("The body did not come in time.")));
        found.push(("413", problem("The body is too large.")));
        found.push(("415", problem("The body must be `application/json`.")));
        found.push((
            "422",
            problem("The body is JSON, but not what is asked for."),
        ));
    } else if places.contains("path") || places.contains("query") {
        found.push(("400", problem("A parameter is not what it should be.")));
    }
    let ways = ways(operation);
    // Whoever shows a key or a token that is not good is told so, even where nobody has to be known.
    if ways.is_empty() && !path.starts_with("/api/v1/") {
        return found;
    }
    let challenge = header("`Bearer error=\"invalid_token\"` where a key or token was shown.");
    let unknown = problem("Nobody is signed in, or the key or token is not (any more) good.");
    found.push(("401", unknown.header("www-authenticate", challenge)));
    let weakest = Role::ALL[0].as_str();
    let strong = ways
        .iter()
        .flat_map(|(_, roles)| roles)
        .any(|role| role != weakest);
    if strong || changes(method) && !ways.is_empty() {
        let text = "The role is too weak, or a browser's request lacks `x-tidegate-request`.";
        found.push(("403", problem(text)));
    }
    found
}
