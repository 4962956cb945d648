//! Schemas in words: what a value is, and the fields that are in it.

use serde_json::Value;

use super::document::{list, object, text};

/// Deeper than this a field says what it is and no more.
const DEPTH: usize = 4;

/// One field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// How far inside it stands.
    pub depth: usize,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Whether it is always there.
    pub required: bool,
    /// What it means.
    pub text: String,
}

/// The schemas that the document names.
pub(super) struct Schemas<'a>(&'a Value);

impl<'a> Schemas<'a> {
    /// Those of this document.
    pub(super) fn of(document: &'a Value) -> Self {
        Self(&document["components"]["schemas"])
    }

    /// The schema itself where a name stands for it.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        name_of(schema).map_or(schema, |name| &self.0[name])
    }

    /// What a value is: `string`, `list of ChannelInfo`, `"a" or "b"`.
    pub(super) fn kind(&self, schema: &'a Value) -> String {
        if let Some(name) = name_of(schema) {
            let named = &self.0[name];
            // A name for words, or for a string, says less than they do.
            return if named["properties"].is_object() {
                // `Page_ChannelInfo`
                name.replacen('_', " of ", 1)
            } else {
                self.kind(named)
            };
        }
        if let Some(choices) = ["oneOf", "anyOf"]
            .iter()
            .find_map(|key| schema[*key].as_array())
        {
            return join(choices.iter().map(|choice| self.kind(choice)));
        }
        if schema["enum"].is_array() {
            return join(list(&schema["enum"]).map(Value::to_string));
        }
        match &schema["type"] {
            Value::Array(kinds) => join(kinds.iter().map(|kind| self.plain(schema, &text(kind)))),
            kind => self.plain(schema, &text(kind)),
        }
    }

    fn plain(&self, schema: &'a Value, kind: &str) -> String {
        match kind {
            "" => "anything".to_owned(),
            "array" => format!("list of {}", self.kind(&schema["items"])),
            kind => kind.to_owned(),
        }
    }

    /// The fields of a value, those inside others after them.
    pub(super) fn fields(&self, schema: &'a Value) -> Vec<Field> {
        let mut fields = Vec::new();
        self.collect(schema, 0, &mut fields);
        fields
    }

    fn collect(&self, schema: &'a Value, depth: usize, fields: &mut Vec<Field>) {
        let schema = self.resolve(schema);
        if depth >= DEPTH {
            return;
        }
        if let Some(choices) = ["oneOf", "anyOf"]
            .iter()
            .find_map(|key| schema[*key].as_array())
        {
            choices
                .iter()
                .for_each(|choice| self.collect(choice, depth, fields));
            return;
        }
        if schema["items"].is_object() {
            return self.collect(&schema["items"], depth, fields);
        }
        for (name, field) in object(&schema["properties"]) {
            let described = [field, &field["oneOf"][0], self.resolve(field)];
            let told = described.into_iter().map(|at| text(&at["description"]));
            fields.push(Field {
                depth,
                name: name.clone(),
                kind: self.kind(field),
                required: list(&schema["required"]).any(|required| required == name.as_str()),
                text: told
                    .into_iter()
                    .find(|text| !text.is_empty())
                    .unwrap_or_default(),
            });
            self.collect(field, depth + 1, fields);
        }
    }
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"]
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

fn join(kinds: impl Iterator<Item = String>) -> String {
    kinds.collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_are_said_in_words() {
        let document = json!({"components": {"schemas": {
            "Page_Users": {"type": "object", "required": ["items"], "properties": {
                "items": {"type": "array", "items": {"$ref": "#/components/schemas/User"},
                    "description": "Some."},
                "next": {"type": ["string", "null"]},
            }},
            "User": {"type": "object", "properties": {
                "role": {"$ref": "#/components/schemas/Role"},
                "boss": {"oneOf": [{"$ref": "#/components/schemas/User"}, {"type": "null"}]},
            }},
            "Role": {"type": "string", "enum": ["viewer", "admin"], "description": "What for."},
        }}});
        let schemas = Schemas::of(&document);
        let page = json!({"$ref": "#/components/schemas/Page_Users"});
        assert_eq!(schemas.kind(&page), "Page of Users");
        let fields = schemas.fields(&page);
        let of = |name: &str| fields.iter().find(|field| field.name == name).unwrap();
        assert_eq!(of("items").kind, "list of User");
        assert!(of("items").required && !of("next").required);
        assert_eq!(of("next").kind, "string or null");
        assert_eq!(of("role").kind, "\"viewer\" or \"admin\"");
        assert_eq!(of("role").text, "What for.");
        assert!(
            fields
                .iter()
                .any(|field| field.name == "role" && field.depth == 1)
        );
        assert_eq!(of("boss").kind, "User or null");
        // Who is inside himself is shown so often and no more.
        assert_eq!(
            fields.iter().map(|field| field.depth).max(),
            Some(DEPTH - 1)
        );
        assert_eq!(schemas.kind(&json!({})), "anything");
    }
}
