//! Asking the gateway from the page, with the session of this browser. Only what reads can be asked
//! here: a page of documentation changes nothing.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::document::{Operation, Parameter};
use crate::components::{Button, ButtonKind};
use crate::http::{self, segment};

/// The address with what was typed in place of its parameters; none while a needed one is missing.
fn address(path: &str, typed: &[(Parameter, String)]) -> Option<String> {
    let mut address = path.to_owned();
    let mut query = Vec::new();
    for (parameter, value) in typed {
        if value.is_empty() {
            if parameter.required {
                return None;
            }
            continue;
        }
        match parameter.place.as_str() {
            "path" => {
                address = address.replace(&format!("{{{}}}", parameter.name), &segment(value))
            }
            "query" => query.push(format!("{}={}", parameter.name, segment(value))),
            _ => {}
        }
    }
    if !query.is_empty() {
        address = format!("{address}?{}", query.join("&"));
    }
    Some(address)
}

/// Fields for the parameters, a button, and what came of it.
#[component]
pub(super) fn TryIt(operation: Operation) -> impl IntoView {
    let Operation {
        id,
        path,
        parameters,
        ..
    } = operation;
    let typed: Vec<_> = parameters
        .into_iter()
        .filter(|parameter| parameter.place != "header")
        .map(|parameter| (parameter, RwSignal::new(String::new())))
        .collect();
    let answer = RwSignal::new(None::<Result<String, String>>);
    let asking = RwSignal::new(false);
    let inputs = typed.iter().map(|(parameter, value)| {
        let (name, value) = (parameter.name.clone(), *value);
        let field = format!("try-{id}-{name}");
        view! {
            <div class="field">
                <label for=field.clone()>{name}</label>
                <input
                    class="input"
                    id=field
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || value.get()
                    on:input=move |ev| value.set(event_target_value(&ev))
                />
            </div>
        }
        .into_any()
    });
    let inputs = inputs.collect_view();
    let typed = StoredValue::new(typed);
    let target = Memo::new(move |_| {
        let typed = typed.with_value(|typed| {
            let typed = typed.iter();
            typed
                .map(|(parameter, value)| (parameter.clone(), value.get()))
                .collect::<Vec<_>>()
        });
        address(&path, &typed)
    });
    let ask = move || {
        let Some(target) = target.get_untracked() else {
            return;
        };
        asking.set(true);
        spawn_local(async move {
            let came = http::get::<serde_json::Value>(&target).await;
            let shown = came
                .map(|json| serde_json::to_string_pretty(&json).unwrap_or_default())
                .map_err(|error| error.to_string());
            answer.try_set(Some(shown));
            asking.try_set(false);
        });
    };
    let came = move || {
        answer.get().map(|answer| match answer {
            Ok(json) => {
                view! { <pre class="api-came" tabindex="0" aria-label="Answer">{json}</pre> }
                    .into_any()
            }
            Err(words) => view! { <p class="api-refused" role="alert">{words}</p> }.into_any(),
        })
    };
    view! {
        <h3>"Try it"</h3>
        <form
            class="api-try"
            on:submit=move |ev| {
                ev.prevent_default();
                ask();
            }
        >
            {inputs}
            <Button
                kind=ButtonKind::Primary
                submit=true
                disabled=Signal::derive(move || asking.get() || target.with(Option::is_none))
            >
                "Ask"
            </Button>
        </form>
        <p class="muted api-target"><code>{move || target.get().unwrap_or_default()}</code></p>
        {came}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_what_was_typed() {
        let parameter = |name: &str, place: &str, required| Parameter {
            name: name.to_owned(),
            place: place.to_owned(),
            required,
            ..Parameter::default()
        };
        let mut typed = vec![
            (parameter("topic", "path", true), String::new()),
            (parameter("limit", "query", false), "5".to_owned()),
            (parameter("after", "query", false), String::new()),
        ];
        assert_eq!(address("/channels/{topic}", &typed), None);
        typed[0].1 = "a/b".to_owned();
        let address = address("/channels/{topic}", &typed);
        assert_eq!(address.as_deref(), Some("/channels/a%2Fb?limit=5"));
    }
}
