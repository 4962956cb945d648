//! Users: who may sign in with a name, and as what.

use leptos::prelude::*;
use tidegate_protocol::trust::UserInfo;

use super::api;
use super::list::ListTable;
use super::moment::Moment;
use super::role::RoleBadge;
use super::user_form::UserForm;
use crate::admin::confirm::use_confirm;
use crate::admin::paged::{Pace, Paged};
use crate::admin::state::use_admin_state;
use crate::admin::store_notice::StoreNotice;
use crate::components::{Badge, Button, Card, Column, TextField, Tone};

/// The table, and the form beside it.
#[component]
pub(in crate::admin) fn UsersScreen() -> impl IntoView {
    let state = use_admin_state();
    let everybody = Signal::stored(String::new());
    let list = Paged::<UserInfo>::asking(state, api::USERS.to_owned(), Pace::Calm, everybody);
    let changing = RwSignal::new(None::<UserInfo>);
    let columns = vec![
        Column::text("Name"),
        Column::text("Role"),
        Column::text("Added"),
        Column::text(""),
    ];
    view! {
        <StoreNotice/>
        <div class="definition-grid">
            <Card title="Users">
                <div class="stack">
                    <div class="search">
                        <TextField
                            name="user-search"
                            label="Search"
                            kind="search"
                            value=list.search
                            placeholder="part of a name"
                        />
                    </div>
                    <ListTable
                        list
                        what="users"
                        columns
                        empty="There are no users"
                        why="Only the built-in administrator can sign in. Add a user for everybody who should."
                        row=move |user| view! { <Row user list changing/> }.into_any()
                    />
                </div>
            </Card>
            <UserForm changing list/>
        </div>
    }
}

#[component]
fn Row(
    user: UserInfo,
    list: Paged<UserInfo>,
    changing: RwSignal<Option<UserInfo>>,
) -> impl IntoView {
    let state = use_admin_state();
    let confirm = use_confirm();
    let UserInfo {
        id,
        name,
        role,
        disabled,
        created_at,
    } = user.clone();
    let own = state
        .who
        .with_untracked(|who| who.user() == Some(name.as_str()));
    let (change_label, remove_label) = (format!("Change {name}"), format!("Remove {name}"));
    let remove = {
        let name = name.clone();
        move || {
            let id = id.clone();
            confirm.ask(
                format!("Remove {name}?"),
                if own {
                    "This is you: your sessions end, and you are signed out here. Every token that you have issued is refused from now on: devices that use one need another."
                } else {
                    "The user's sessions end at once, and every token that the user has issued is refused from now on: devices that use one need another. The name may be given to somebody else."
                },
                "Remove",
                move || state.act(api::remove_user(id.clone()), move || list.refresh()),
            );
        }
    };
    view! {
        <tr>
            <td class="wide-cell">
                <span class="row">
                    {name} {own.then(|| view! { <Badge>"you"</Badge> })}
                    {disabled
                        .then(|| view! { <Badge tone=Signal::from(Tone::Bad)>"disabled"</Badge> })}
                </span>
            </td>
            <td>
                <RoleBadge role/>
            </td>
            <td>
                <Moment at=created_at/>
            </td>
            <td class="number">
                <span class="row row-actions">
                    <Button
                        attr:aria-label=change_label
                        on:click=move |_| changing.set(Some(user.clone()))
                    >
                        "Change"
                    </Button>
                    <Button attr:aria-label=remove_label on:click=move |_| remove()>
                        "Remove"
                    </Button>
                </span>
            </td>
        </tr>
    }
}
