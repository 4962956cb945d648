//! Form fields: a label above, the control, and a hint or an error below.

use leptos::prelude::*;

/// The id that ties a label to its control.
fn field_id(name: &str) -> String {
    format!("field-{name}")
}

#[component]
fn Frame(
    id: String,
    label: String,
    hint: Option<String>,
    error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    let note = format!("{id}-note");
    view! {
        <div class="field" data-invalid=move || error.get().is_some().to_string()>
            <label for=id>{label}</label>
            {children()}
            <p class="field-note" id=note>
                {move || error.get().or_else(|| hint.clone()).unwrap_or_default()}
            </p>
        </div>
    }
}

/// One line of text. `kind` is the input's type: `text`, `search`, `password`, `number`.
#[component]
pub fn TextField(
    /// A short name, unique on the page.
    name: &'static str,
    /// What stands above it.
    #[prop(into)]
    label: String,
    /// What it holds.
    value: RwSignal<String>,
    /// The type of the input.
    #[prop(default = "text")]
    kind: &'static str,
    /// An example of what to type.
    #[prop(into, optional)]
    placeholder: String,
    /// A sentence below it.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What is wrong with it; takes the hint's place.
    #[prop(into, optional)]
    error: Signal<Option<String>>,
    /// The value of `autocomplete`.
    #[prop(default = "off")]
    autocomplete: &'static str,
) -> impl IntoView {
    let id = field_id(name);
    let id_of_frame = id.clone();
    let note = format!("{id}-note");
    view! {
        <Frame id=id_of_frame label hint error>
            <input
                class="input"
                id=id
                name=name
                type=kind
                placeholder=placeholder
                autocomplete=autocomplete
                spellcheck="false"
                aria-describedby=note
                aria-invalid=move || error.get().is_some().to_string()
                prop:value=move || value.get()
                on:input=move |ev| value.set(event_target_value(&ev))
            />
        </Frame>
    }
}

/// Several lines of text, in the typeface of code.
#[component]
pub fn TextAreaField(
    /// A short name, unique on the page.
    name: &'static str,
    /// What stands above it.
    #[prop(into)]
    label: String,
    /// What it holds.
    value: RwSignal<String>,
    /// How many lines it shows.
    #[prop(default = 5)]
    rows: u32,
    /// A sentence below it.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What is wrong with it; takes the hint's place.
    #[prop(into, optional)]
    error: Signal<Option<String>>,
) -> impl IntoView {
    let id = field_id(name);
    let id_of_frame = id.clone();
    let note = format!("{id}-note");
    view! {
        <Frame id=id_of_frame label hint error>
            <textarea
                class="input mono"
                id=id
                name=name
                rows=rows
                spellcheck="false"
                aria-describedby=note
                aria-invalid=move || error.get().is_some().to_string()
                prop:value=move || value.get()
                on:input=move |ev| value.set(event_target_value(&ev))
            ></textarea>
        </Frame>
    }
}

/// One of a few values.
#[component]
pub fn SelectField(
    /// A short name, unique on the page.
    name: &'static str,
    /// What stands above it.
    #[prop(into)]
    label: String,
    /// The chosen value.
    value: RwSignal<String>,
    /// Values and their words.
    options: Vec<(&'static str, &'static str)>,
    /// A sentence below it.
    #[prop(into, optional)]
    hint: Option<String>,
) -> impl IntoView {
    let id = field_id(name);
    let id_of_frame = id.clone();
    view! {
        <Frame id=id_of_frame label hint error=Signal::from(None)>
            <select
                class="input"
                id=id
                name=name
                prop:value=move || value.get()
                on:change=move |ev| value.set(event_target_value(&ev))
            >
                {options
                    .into_iter()
                    .map(|(key, words)| {
                        view! {
                            <option value=key selected=move || value.get() == key>
                                {words}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
        </Frame>
    }
}

/// Yes or no, with its words beside it.
#[component]
pub fn CheckField(
    /// What it says.
    #[prop(into)]
    label: String,
    /// Whether it is ticked.
    value: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || value.get()
                on:change=move |ev| value.set(event_target_checked(&ev))
            />
            <span>{label}</span>
        </label>
    }
}
