//! How often each principal was answered and refused.

use leptos::prelude::*;
use tidegate_protocol::trust::{Part, PrincipalInfo};

use super::api;
use super::moment::Moment;
use super::polled::{Known, polled};
use crate::components::{Button, Card, Column, Table};
use crate::format;

/// The counters; a name sets the list to that principal.
#[component]
pub(super) fn Principals(
    /// Whose records the list shows; of everybody when empty.
    chosen: RwSignal<String>,
) -> impl IntoView {
    let counters = polled(api::principals);
    let columns = || {
        vec![
            Column::text("Who"),
            Column::number("Answered"),
            Column::number("Refused"),
            Column::text("Last"),
        ]
    };
    let show = move |counts: Part<PrincipalInfo>| {
        let more = counts.next.is_some();
        let rows = counts
            .items
            .into_iter()
            .map(|count| view! { <Row count chosen/> })
            .collect_view();
        view! {
            <Table caption="Counters" columns=columns()>
                {rows}
            </Table>
            {more
                .then(|| {
                    view! { <p class="muted">"The latest 200; the API lists all of them."</p> }
                })}
        }
        .into_any()
    };
    view! {
        <Card title="Counters">
            <Known polled=counters what="counters" rows=4 show/>
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
