//! Issuing a token: whose, for which channels, for how long, and what it allows.

use leptos::prelude::*;
use tidegate_protocol::trust::{IssueToken, IssuedToken, TokenInfo};
use tidegate_protocol::{MAX_TOKEN_ROLES, Right, Role, RoleName, TopicPattern, is_reserved_topic};

use super::api;
use super::fields::{Life, LifeField};
use super::secret::{Made, Secret};
use crate::admin::form::Form;
use crate::admin::paged::Paged;
use crate::admin::role_names::role_names;
use crate::admin::state::use_admin_state;
use crate::components::{Button, ButtonKind, Card, CheckField, TextField};

/// The longest life of a token, in seconds: a year.
const MAX_SECONDS: u64 = 366 * 86_400;
/// Channels that one token may name.
const MAX_CHANNELS: usize = 100;
/// The longest name of whom it is for.
const MAX_ID_BYTES: usize = 255;

/// The channels in a line, separated by commas or spaces; or what is wrong with them.
fn channels(line: &str, rules: bool) -> Result<Vec<String>, String> {
    let split = line.split([',', ' ', '\n']);
    let names: Vec<String> = split
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        return Err("Name at least one channel.".to_owned());
    }
    if names.len() > MAX_CHANNELS {
        return Err(format!("At most {MAX_CHANNELS} channels."));
    }
    for name in &names {
        if let Err(error) = TopicPattern::new(name) {
            return Err(format!("{name} will not do: {error}."));
        }
        if !rules && is_reserved_topic(name) {
            return Err(format!(
                "{name} belongs to the gateway: an administrator issues tokens for it."
            ));
        }
    }
    Ok(names)
}

/// The roles in a line; or what is wrong with them. A role of the gateway's users is given away by
/// who has it, or one that may do more.
fn roles(line: &str, own: Role) -> Result<Vec<RoleName>, String> {
    let roles = role_names(line, MAX_TOKEN_ROLES)?;
    let named = roles.iter().filter_map(|role| Role::named(role.as_str()));
    match named.max().filter(|role| *role > own) {
        Some(role) => Err(format!(
            "{role} is a role of the gateway's users that you do not have, so you cannot give it."
        )),
        None => Ok(roles),
    }
}

/// The form; the token is shown above it, once.
#[component]
pub(super) fn IssueCard(
    /// The list to be asked for anew.
    list: Paged<TokenInfo>,
) -> impl IntoView {
    let state = use_admin_state();
    let made = RwSignal::new(None::<Made>);
    let id = RwSignal::new(String::new());
    let line = RwSignal::new(String::new());
    let role_line = RwSignal::new(String::new());
    let life = Life::new(
        "hours",
        MAX_SECONDS,
        "Leave it empty for what --token-seconds says.",
    );
    let tried = RwSignal::new(false);
    let [join, push, presence, admin] = [true, true, true, false].map(RwSignal::new);
    let rules = Memo::new(move |_| state.may(Role::Admin));
    let checked = move || line.with(|line| channels(line, rules.get()));
    let channels_error = Signal::derive(move || checked().err().filter(|_| tried.get()));
    let own = Memo::new(move |_| state.who.with(|who| who.role));
    let checked_roles = move || role_line.with(|line| roles(line, own.get()));
    let roles_error = Signal::derive(move || checked_roles().err().filter(|_| tried.get()));
    let id_fault = move || id.with(|id| id.trim().len() > MAX_ID_BYTES);
    let id_error =
        Signal::derive(move || id_fault().then(|| format!("At most {MAX_ID_BYTES} bytes.")));
    let issue = move || {
        tried.set(true);
        let (Ok(channels), Ok(roles), Ok(seconds)) = (
            untrack(checked),
            untrack(checked_roles),
            untrack(|| life.seconds()),
        ) else {
            return;
        };
        if untrack(id_fault) {
            return;
        }
        let rights = [
            (join, Right::Join),
            (push, Right::Push),
            (presence, Right::Presence),
            (admin, Right::Admin),
        ];
        let allow = rights
            .into_iter()
            .filter_map(|(ticked, right)| ticked.get_untracked().then_some(right))
            .collect();
        let wanted = IssueToken {
            id: id.with_untracked(|id| id.trim().to_owned()),
            channels,
            allow: Some(allow),
            roles,
            seconds,
        };
        state.run(api::issue(wanted), move |issued: IssuedToken| {
            let TokenInfo { id, channels, .. } = issued.info;
            made.try_set(Some(Made {
                about: format!("A token of {id} for {}.", channels.join(", ")),
                secret: issued.token,
            }));
            tried.try_set(false);
            list.refresh();
        });
    };
    view! {
        <Card title="Issue a token">
            <div class="stack">
                <Secret made what="token"/>
                <Form label="Issue a token" send=issue>
                    <TextField
                        name="token-channels"
                        label="Channels"
                        value=line
                        placeholder="room:1, news:*"
                        hint="Topics, or prefix:* for all that start with it; several with commas."
                        error=channels_error
                    />
                    <TextField
                        name="token-id"
                        label="For whom"
                        value=id
                        placeholder="alice"
                        hint="The member's name in presence. Left empty, a random one."
                        error=id_error
                    />
                    <TextField
                        name="token-roles"
                        label="Roles"
                        value=role_line
                        placeholder="editor, night"
                        hint="For channels that ask for one; several with commas. viewer, operator and admin are given by who has them."
                        error=roles_error
                    />
                    <LifeField life tried/>
                    <fieldset class="checks">
                        <legend>"It allows"</legend>
                        <CheckField label="joining" value=join/>
                        <CheckField label="pushing" value=push/>
                        <CheckField label="presence" value=presence/>
                        <Show when=move || rules.get()>
                            <CheckField label="what an administrator may" value=admin/>
                        </Show>
                    </fieldset>
                    <Show when=move || admin.get()>
                        <p class="notice" data-tone="warn">
                            "Whoever has this token may do everything here that an administrator may."
                        </p>
                    </Show>
                    <div class="row">
                        <Button submit=true kind=ButtonKind::Primary>
                            "Issue"
                        </Button>
                    </div>
                </Form>
            </div>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use tidegate_protocol::Role;

    use super::{channels, roles};

    #[test]
    fn a_line_names_channels() {
        let good = channels(" room:1, news:*  x", false).unwrap();
        assert_eq!(good, ["room:1", "news:*", "x"]);
        assert!(channels(" , ", false).is_err());
        assert!(channels(&"a ".repeat(101), false).is_err());
        assert!(channels("admin", false).is_err());
        assert!(channels("admin", true).is_ok());
    }

    #[test]
    fn a_role_of_the_gateway_is_given_by_who_has_it() {
        assert_eq!(roles("", Role::Operator), Ok(Vec::new()));
        assert_eq!(
            roles("editor, viewer operator", Role::Operator)
                .unwrap()
                .len(),
            3
        );
        assert!(roles("editor, admin", Role::Operator).is_err());
        assert!(roles("admin", Role::Admin).is_ok());
    }
}
