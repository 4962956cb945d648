//! One operation: a line that opens, and behind it all that is said of it.

use leptos::prelude::*;

use super::document::{Answer, Content, Operation, Parameter};
use super::prose::{Prose, Words};
use super::schema::Field;
use super::try_it::TryIt;
use crate::components::{Badge, Tone};

/// The line, and what is behind it. What is never opened is never drawn.
#[component]
pub(super) fn OperationView(operation: Operation) -> impl IntoView {
    let open = RwSignal::new(false);
    let id = operation.id.clone();
    let anchor = StoredValue::new(id.clone());
    // An address with this operation in it opens the page at it.
    Effect::new(move |_| {
        let here = window().location().hash().unwrap_or_default();
        if here.strip_prefix('#') == Some(&anchor.get_value()) {
            open.set(true);
            request_animation_frame(move || {
                if let Some(element) = document().get_element_by_id(&anchor.get_value()) {
                    element.scroll_into_view();
                }
            });
        }
    });
    let Operation {
        method,
        path,
        summary,
        ..
    } = operation.clone();
    let words = method.clone();
    let operation = StoredValue::new(operation);
    view! {
        <details
            class="api-operation"
            id=id
            open=move || open.get()
            on:toggle=move |ev| {
                open.set(event_target::<web_sys::Element>(&ev).has_attribute("open"));
            }
        >
            <summary>
                <span class="api-method" data-method=method>{words}</span>
                <code class="api-path">{path}</code>
                <span class="api-summary">{summary}</span>
            </summary>
            {move || open.get().then(|| view! { <Behind operation=operation.get_value()/> }.into_any())}
        </details>
    }
}

#[component]
fn Behind(operation: Operation) -> impl IntoView {
    let tried = operation.can_be_tried().then(|| operation.clone());
    let Operation {
        id,
        text,
        access,
        parameters,
        body,
        answers,
        ..
    } = operation;
    let access = access
        .into_iter()
        .map(|way| view! { <Badge tone=Tone::Accent>{way}</Badge> });
    let access = access.collect_view();
    let (good, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status.as_str() < "400");
    view! {
        <div class="api-behind stack">
            <Prose text/>
            <div class="row">
                <span class="muted">"Who may ask"</span>
                {access}
                <a class="api-anchor" href=format!("#{id}") rel="external">"Link"</a>
            </div>
            {(!parameters.is_empty()).then(|| view! { <Parameters parameters/> }.into_any())}
            {body.map(|body| view! {
                <h3>"Body"</h3>
                <ContentView content=body must="needed"/>
            })}
            <h3>"Answers"</h3>
            {good.into_iter().map(|answer| view! { <AnswerView answer/> }.into_any()).collect_view()}
            {(!refused.is_empty()).then(|| view! { <Refusals refused/> }.into_any())}
            {tried.map(|operation| view! { <TryIt operation/> }.into_any())}
        </div>
    }
}

#[component]
fn Parameters(parameters: Vec<Parameter>) -> impl IntoView {
    let rows = parameters.into_iter().map(|parameter| {
        let place = parameter.place;
        let field = Field {
            depth: 0,
            name: parameter.name,
            kind: format!("{}, in the {place}", parameter.kind),
            required: parameter.required,
            text: parameter.text,
        };
        view! { <FieldView field must="needed"/> }.into_any()
    });
    view! {
        <h3>"Parameters"</h3>
        <dl class="api-fields">{rows.collect_view()}</dl>
    }
}

#[component]
fn ContentView(
    content: Content,
    /// What is said of a field that is not left out.
    must: &'static str,
) -> impl IntoView {
    let fields = content.fields.into_iter();
    let fields = fields
        .map(|field| view! { <FieldView field must/> }.into_any())
        .collect_view();
    view! {
        <p class="muted">
            <code>{content.media}</code>
            ": "
            {content.kind}
        </p>
        <dl class="api-fields">{fields}</dl>
    }
}

#[component]
fn FieldView(field: Field, must: &'static str) -> impl IntoView {
    let inset = format!("--depth: {}", field.depth);
    view! {
        <div class="api-field" style=inset>
            <dt>
                <code>{field.name}</code>
                " "
                <span class="muted">{field.kind}</span>
                {field.required.then(|| view! { " "<span class="api-required">{must}</span> })}
            </dt>
            <dd><Words text=field.text/></dd>
        </div>
    }
}

#[component]
fn AnswerView(answer: Answer) -> impl IntoView {
    view! {
        <div class="api-answer stack">
            <p>
                <Badge tone=Tone::Good>{answer.status}</Badge>
                " "
                <Words text=answer.text/>
            </p>
            {answer.content.map(|content| view! { <ContentView content must="always"/> }.into_any())}
        </div>
    }
}

/// Errors have one form, so they are a list of when they come.
#[component]
fn Refusals(refused: Vec<Answer>) -> impl IntoView {
    let rows = refused.into_iter().map(|answer| {
        view! {
            <div class="api-refusal">
                <dt><Badge tone=Tone::Warn>{answer.status}</Badge></dt>
                <dd><Words text=answer.text/></dd>
            </div>
        }
    });
    view! {
        <h3>"Errors"</h3>
        <dl class="api-refusals">{rows.collect_view()}</dl>
    }
}
