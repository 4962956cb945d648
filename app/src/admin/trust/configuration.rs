//! Every setting that holds, and who said it. Secrets come masked from the gateway.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::system::{Configuration, Setting, SettingSource, StoreState};

use super::api;
use crate::admin::paged::Skeleton;
use crate::admin::state::use_admin_state;
use crate::components::{
    Badge, Button, Card, CheckField, Column, EmptyState, Shape, Table, TextField, Tone,
};

/// A table with a search; settings change with a restart, so it is asked for once.
#[component]
pub(in crate::admin) fn ConfigurationScreen() -> impl IntoView {
    let state = use_admin_state();
    let known = RwSignal::new(None::<Result<Configuration, String>>);
    let load = move || {
        spawn_local(async move {
            let answer = api::configuration().await;
            known.try_set(Some(answer.map_err(|error| state.words(&error))));
        });
    };
    Effect::new(move |_| load());
    let search = RwSignal::new(String::new());
    let said = RwSignal::new(false);
    // A server has tools of its own, and what forgets has nothing to copy.
    let copied = move || {
        let store = state.store.get();
        store.is_some_and(|store| store.kind == "sqlite" && store.state == StoreState::Ready)
    };
    let actions = move || {
        view! {
            <Show when=copied>
                <a class="button" href=api::BACKUP download rel="external">
                    "Download a copy of the store"
                </a>
            </Show>
        }
    };
    view! {
        <Card title="Configuration" actions>
            <div class="stack">
                <p class="muted">
                    "What holds on this gateway. Settings come from flags, the environment and the configuration file, in this order; they change with a restart."
                </p>
                <div class="row filters">
                    <div class="search">
                        <TextField
                            name="setting-search"
                            label="Search"
                            kind="search"
                            value=search
                            placeholder="part of a name, or of what it is for"
                        />
                    </div>
                    <CheckField label="Only what somebody has set" value=said/>
                </div>
                {move || match known.get() {
                    None => view! { <Skeleton rows=8/> }.into_any(),
                    Some(Err(words)) => {
                        view! {
                            <EmptyState title="The settings could not be had" icon=Shape::Alert>
                                <p>{words}</p>
                                <Button on:click=move |_| load()>"Try again"</Button>
                            </EmptyState>
                        }
                            .into_any()
                    }
                    Some(Ok(configuration)) => {
                        let found = search
                            .with(|search| matching(configuration.settings, search, said.get()));
                        view! { <Settings found/> }.into_any()
                    }
                }}
            </div>
        </Card>
    }
}

/// Settings whose name or purpose holds the text; with `said` those that are not at their default.
fn matching(settings: Vec<Setting>, search: &str, said: bool) -> Vec<Setting> {
    let needle = search.trim().to_lowercase();
    let holds = |setting: &Setting| {
        setting.name.contains(&needle) || setting.about.to_lowercase().contains(&needle)
    };
    settings
        .into_iter()
        .filter(|setting| !said || setting.source != SettingSource::Default)
        .filter(holds)
        .collect()
}

#[component]
fn Settings(found: Vec<Setting>) -> impl IntoView {
    if found.is_empty() {
        return view! { <EmptyState title="No setting matches" icon=Shape::Search/> }.into_any();
    }
    let columns = vec![
        Column::text("Setting"),
        Column::text("Value"),
        Column::text("Said by"),
        Column::text("What it is for"),
    ];
    let rows = found
        .into_iter()
        .map(|setting| view! { <Row setting/> })
        .collect_view();
    view! {
        <Table caption="Settings" columns>
            {rows}
        </Table>
    }
    .into_any()
}

#[component]
fn Row(setting: Setting) -> impl IntoView {
    let Setting {
        name,
        environment,
        value,
        source,
        secret,
        about,
    } = setting;
    let tone = match source {
        SettingSource::Default => Tone::Neutral,
        _ => Tone::Accent,
    };
    let shown = match value {
        Some(value) => view! { <span class="mono">{value}</span> }.into_any(),
        None => view! { <span class="muted">"not set"</span> }.into_any(),
    };
    view! {
        <tr>
            <td class="mono" title=format!("In the environment {environment}")>
                "--"
                {name}
            </td>
            <td class="sentence-cell">
                <span class="row">
                    {shown} {secret.then(|| view! { <Badge>"secret"</Badge> })}
                </span>
            </td>
            <td>
                <Badge tone=Signal::from(tone)>{source.as_str()}</Badge>
            </td>
            <td class="sentence-cell">{about}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_by_name_and_purpose() {
        let setting = |name: &str, source| Setting {
            name: name.to_owned(),
            environment: String::new(),
            value: None,
            source,
            secret: false,
            about: format!("About {name}"),
        };
        let all = || {
            vec![
                setting("port", SettingSource::Flag),
                setting("host", SettingSource::Default),
            ]
        };
        assert_eq!(matching(all(), "", false).len(), 2);
        assert_eq!(matching(all(), "ABOUT PO", false)[0].name, "port");
        assert_eq!(matching(all(), "", true).len(), 1);
        assert!(matching(all(), "nothing", false).is_empty());
    }
}
