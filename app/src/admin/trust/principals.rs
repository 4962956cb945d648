//! How often each principal was answered and refused.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidegate_protocol::trust::PrincipalInfo;

use super::api;
use super::moment::Moment;
use crate::admin::paged::Skeleton;
use crate::admin::state::use_admin_state;
use crate::components::{Button, Card, Column, EmptyState, Shape, Table};
use crate::{format, timing};

/// How often the counters are asked for, in milliseconds.
const REFRESH_MS: u32 = 5_000;

/// The counters; a name sets the list to that principal.
#[component]
pub(super) fn Principals(
    /// Whose records the list shows; of everybody when empty.
    chosen: RwSignal<String>,
) -> impl IntoView {
    let state = use_admin_state();
    let known = RwSignal::new(None::<Result<Vec<PrincipalInfo>, String>>);
    Effect::new(move |_| {
        spawn_local(async move {
            while known.try_with_untracked(|_| ()).is_some() {
                if !timing::hidden() {
                    let answer = api::principals().await.map_err(|error| state.words(&error));
                    let new = known.try_with_untracked(|known| known.as_ref() != Some(&answer));
                    if new == Some(true) {
                        known.set(Some(answer));
                    }
                }
                timing::pause(REFRESH_MS).await;
            }
        });
    });
    let columns = || {
        vec![
            Column::text("Who"),
            Column::number("Answered"),
            Column::number("Refused"),
            Column::text("Last"),
        ]
    };
    view! {
        <Card title="Counters">
            {move || match known.get() {
                None => view! { <Skeleton rows=4/> }.into_any(),
                Some(Err(words)) => {
                    view! {
                        <EmptyState title="The counters could not be had" icon=Shape::Alert>
                            {words}
                        </EmptyState>
                    }
                        .into_any()
                }
                Some(Ok(counts)) => {
                    let rows = counts
                        .into_iter()
                        .map(|count| view! { <Row count chosen/> })
                        .collect_view();
                    view! {
                        <Table caption="Counters" columns=columns()>
                            {rows}
                        </Table>
                    }
                        .into_any()
                }
            }}
        </Card>
    }
}

#[component]
fn Row(count: PrincipalInfo, chosen: RwSignal<String>) -> impl IntoView {
    let PrincipalInfo {
        principal,
        answered,
        refused,
        last_at,
    } = count;
    let name = principal.clone();
    let label = format!("Show what {principal} did");
    view! {
        <tr>
            <td>
                <Button attr:aria-label=label on:click=move |_| chosen.set(name.clone())>
                    {principal}
                </Button>
            </td>
            <td class="number">{format::grouped(answered.cast_signed())}</td>
            <td class="number">{format::grouped(refused.cast_signed())}</td>
            <td>
                <Moment at=last_at/>
            </td>
        </tr>
    }
}
