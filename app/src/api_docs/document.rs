//! The OpenAPI document as the page shows it: groups of operations, taken out of the JSON once.
//!
//! Reads what an OpenAPI 3.1 document may say as far as the gateway's own says it. What is missing
//! or of another kind is left out; nothing here fails.

use serde_json::{Map, Value};

use super::schema::{Field, Schemas};

/// The whole document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// The version of the API.
    pub version: String,
    /// What is said of the whole.
    pub text: String,
    /// The groups, in the order of the document.
    pub groups: Vec<Group>,
}

/// Operations that belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What they are about.
    pub text: String,
    /// What it holds, by path.
    pub operations: Vec<Operation>,
}

/// One method of one path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// Its name in the document, and on this page its anchor.
    pub id: String,
    /// `GET`.
    pub method: String,
    /// `/api/v1/channels/{topic}`.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// And in more.
    pub text: String,
    /// Who may ask.
    pub access: Vec<String>,
    /// What its address and headers may hold.
    pub parameters: Vec<Parameter>,
    /// What it is sent.
    pub body: Option<Content>,
    /// What it answers.
    pub answers: Vec<Answer>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it is.
    pub kind: String,
    /// What it means.
    pub text: String,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Content {
    /// Its content type.
    pub media: String,
    /// What it is.
    pub kind: String,
    /// What is in it.
    pub fields: Vec<Field>,
}

/// An answer of one status.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The status.
    pub status: String,
    /// When it is given.
    pub text: String,
    /// What stands in it.
    pub content: Option<Content>,
}

impl Operation {
    /// Whether it says this somewhere, whatever the case; `wanted` is in lower case.
    pub fn mentions(&self, wanted: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(wanted);
        has(&format!("{} {}", self.method, self.path))
            || has(&self.summary)
            || has(&self.text)
            || self.parameters.iter().any(|p| has(&p.name))
            || self
                .body
                .iter()
                .flat_map(|b| &b.fields)
                .any(|f| has(&f.name))
    }

    /// Whether the page can try it: it reads, and answers JSON at once.
    pub fn can_be_tried(&self) -> bool {
        let json = |answer: &Answer| {
            let content = answer.content.as_ref();
            answer.status == "200" && content.is_some_and(|c| c.media == "application/json")
        };
        self.method == "GET" && self.path != "/longpoll" && self.answers.iter().any(json)
    }
}

impl Document {
    /// Takes the document apart.
    pub fn read(json: &Value) -> Self {
        let schemas = Schemas::of(json);
        let mut groups: Vec<Group> = list(&json["tags"])
            .map(|tag| Group {
                name: text(&tag["name"]),
                text: text(&tag["description"]),
                operations: Vec::new(),
            })
            .collect();
        for (path, item) in object(&json["paths"]) {
            // As they are usually done, not by the alphabet.
            for method in ["get", "post", "put", "patch", "delete"] {
                let Some(operation) = item.get(method) else {
                    continue;
                };
                let tag = text(&operation["tags"][0]);
                if let Some(group) = groups.iter_mut().find(|group| group.name == tag) {
                    let operation = read_operation(path, method, operation, &schemas);
                    group.operations.push(operation);
                }
            }
        }
        groups.retain(|group| !group.operations.is_empty());
        Self {
            version: text(&json["info"]["version"]),
            text: text(&json["info"]["description"]),
            groups,
        }
    }
}

fn read_operation(path: &str, method: &str, json: &Value, schemas: &Schemas) -> Operation {
    let parameters = list(&json["parameters"]).map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        kind: schemas.kind(&parameter["schema"]),
        text: text(&parameter["description"]),
    });
    let answers = object(&json["responses"]).map(|(status, answer)| Answer {
        status: status.clone(),
        text: text(&answer["description"]),
        content: content(&answer["content"], schemas),
    });
    Operation {
        id: text(&json["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&json["summary"]),
        text: text(&json["description"]),
        access: access(&json["security"]),
        parameters: parameters.collect(),
        body: content(&json["requestBody"]["content"], schemas),
        answers: answers.collect(),
    }
}

fn content(json: &Value, schemas: &Schemas) -> Option<Content> {
    let (media, content) = object(json).next()?;
    Some(Content {
        media: media.clone(),
        kind: schemas.kind(&content["schema"]),
        fields: schemas.fields(&content["schema"]),
    })
}

/// `everybody`, or the ways of signing in with the role that is needed.
fn access(json: &Value) -> Vec<String> {
    let ways = list(json).map(|way| {
        let mut ways = object(way).map(|(name, roles)| match text(&roles[0]) {
            role if role.is_empty() => name.clone(),
            role => format!("{name}: {role}"),
        });
        ways.next().unwrap_or_else(|| "everybody".to_owned())
    });
    ways.collect()
}

pub(super) fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

pub(super) fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

pub(super) fn object(json: &Value) -> impl Iterator<Item = (&String, &Value)> {
    json.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_taken_apart() {
        let document = Document::read(&json!({
            "info": {"version": "1", "description": "All of it."},
            "tags": [{"name": "empty"}, {"name": "channels", "description": "Channels."}],
            "paths": {"/channels/{topic}": {
                "delete": {"tags": ["channels"], "operationId": "b", "summary": "Close"},
                "get": {
                    "tags": ["channels"], "operationId": "a", "summary": "One channel",
                    "security": [{"session": ["viewer"]}, {}],
                    "parameters": [{"name": "topic", "in": "path", "required": true,
                        "schema": {"type": "string"}, "description": "The channel."}],
                    "responses": {"200": {"description": "It.", "content": {"application/json":
                        {"schema": {"type": "object", "properties": {"x": {"type": "integer"}}}}}}},
                },
            }},
        }));
        assert_eq!(document.groups.len(), 1, "a group of nothing is left out");
        let [show, close] = &document.groups[0].operations[..] else {
            panic!("{document:?}");
        };
        assert_eq!(
            (show.method.as_str(), close.method.as_str()),
            ("GET", "DELETE")
        );
        assert_eq!(show.access, ["session: viewer", "everybody"]);
        assert!(show.parameters[0].required && show.parameters[0].kind == "string");
        assert_eq!(
            show.answers[0].content.as_ref().unwrap().fields[0].name,
            "x"
        );
        assert!(show.can_be_tried() && !close.can_be_tried());
        assert!(show.mentions("get /channels") && show.mentions("topic"));
        assert!(!close.mentions("topic\u{0}"));
    }

    #[test]
    fn what_is_no_document_is_an_empty_one() {
        for json in [json!(null), json!([1]), json!({"paths": 3, "tags": {}})] {
            assert_eq!(Document::read(&json), Document::default());
        }
    }
}
