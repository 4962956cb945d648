//! The document and the router agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{document, operations};

/// Paths and their methods.
type Routes = BTreeMap<String, BTreeSet<String>>;

fn documented() -> Routes {
    let paths = &document().paths.paths;
    paths
        .iter()
        .map(|(path, item)| {
            let methods = operations(item).map(|(method, _)| method.to_ascii_uppercase());
            (path.clone(), methods.collect())
        })
        .collect()
}

/// What the router itself says that it has. Axum lists its routes nowhere but in what it prints for
/// debugging: the number of a route beside its methods, and beside its path.
fn registered() -> Routes {
    let (router, _) = crate::api::routes(|api, _| api).split_for_parts();
    let printed = format!("{router:?}");
    let (routes, paths) = printed.split_once("Node { paths: {").unwrap();
    let mut methods: BTreeMap<_, _> = by_id(routes)
        .map(|(id, route)| {
            let (_, allow) = route.split_once("allow_header: Bytes(b\"").unwrap();
            let allow = allow.split('"').next().unwrap();
            let methods = allow.split(',').filter(|method| *method != "HEAD");
            (id, methods.map(str::to_owned).collect())
        })
        .collect();
    // Behind them come those of what answers everything else.
    let (paths, _) = paths.split_once("} }").unwrap();
    let found = by_id(paths)
        .map(|(id, path)| {
            (
                super::derived::plain(path.split('"').nth(1).unwrap()),
                methods.remove(id).unwrap(),
            )
        })
        .collect();
    assert!(methods.is_empty(), "{printed}");
    found
}

/// What is printed beside the number of each route.
fn by_id(printed: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = printed.split("RouteId(").skip(1);
    entries.filter_map(|entry| entry.split_once("): "))
}

/// P3: nothing is served that is not described, and nothing described that is not served.
#[test]
fn the_router_and_the_document_agree() {
    let registered = registered();
    assert!(registered.len() > 25, "{registered:?}");
    assert_eq!(registered, documented());
}

/// P3: of every operation it is said what it does, what it answers, who may ask, and how it
/// refuses.
#[test]
fn every_operation_is_described() {
    let written = serde_json::to_value(document()).unwrap();
    assert_eq!(written["openapi"], "3.1.0");
    let schemes = written["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    let tags: BTreeSet<_> = written["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let (mut names, mut used) = (BTreeSet::new(), BTreeSet::new());
    for (path, item) in &document().paths.paths {
        for (method, _) in operations(item) {
            let at = format!("{method} {path}");
            let operation = &written["paths"][path][method];
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(
                !summary.is_empty() && !summary.ends_with('.') && !summary.contains('`'),
                "{at}: the first line of the documentation is the summary: {summary:?}"
            );
            assert!(names.insert(operation["operationId"].to_string()), "{at}");
            let tag = operation["tags"][0].as_str().unwrap();
            assert!(
                tags.contains(tag),
                "{at}: nothing is said of the group {tag}"
            );
            used.insert(tag);
            let ways = operation["security"].as_array();
            let ways = ways.unwrap_or_else(|| panic!("{at}: who may ask?"));
            assert!(!ways.is_empty(), "{at}");
            for name in ways.iter().flat_map(|way| way.as_object().unwrap().keys()) {
                assert!(schemes.contains_key(name), "{at}: {name}");
            }
            check_answers(&at, &operation["responses"]);
            check_parameters(&at, path, &operation["parameters"]);
        }
    }
    assert_eq!(used, tags, "groups with operations");
}

fn check_answers(at: &str, answers: &Value) {
    let answers = answers.as_object().unwrap();
    let good = answers.keys().any(|status| status < &"400".to_owned());
    assert!(good, "{at}: what does it answer?");
    for (status, answer) in answers {
        let description = answer["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty(), "{at}: {status}");
        if at.contains(" /api/v1/") && status.as_str() >= "400" {
            let problem = &answer["content"]["application/problem+json"];
            assert!(problem["schema"]["$ref"].is_string(), "{at}: {status}");
        }
    }
    if at.contains(" /api/v1/") {
        assert!(answers.contains_key("401"), "{at}: how does it refuse?");
    }
}

fn check_parameters(at: &str, path: &str, parameters: &Value) {
    let empty = Vec::new();
    let parameters = parameters.as_array().unwrap_or(&empty);
    for parameter in parameters {
        let description = parameter["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty(), "{at}: {parameter}");
    }
    let described: BTreeSet<_> = parameters
        .iter()
        .filter(|parameter| parameter["in"] == "path")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    let braced: BTreeSet<_> = path
        .split('{')
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap().trim_start_matches('*'))
        .collect();
    assert_eq!(described, braced, "{at}");
}

/// Every schema that is spoken of is there, and every field of it is described.
#[test]
fn every_schema_is_there_and_described() {
    let written = serde_json::to_value(document()).unwrap();
    let schemas = written["components"]["schemas"].as_object().unwrap();
    let mut spoken_of = BTreeSet::new();
    references(&written, &mut spoken_of);
    let there: BTreeSet<_> = schemas.keys().cloned().collect();
    assert_eq!(spoken_of, there);
    for (name, schema) in schemas {
        for (field, part) in schema["properties"].as_object().into_iter().flatten() {
            // What may be null stands in a choice, beside its description.
            let described = part["description"].is_string();
            let chosen = part["oneOf"][0]["description"].is_string();
            assert!(described || chosen, "{name}.{field}: {part}");
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                let name = to.strip_prefix("#/components/schemas/").unwrap();
                found.insert(name.to_owned());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
