//! The fields of a channel definition: who may join and push, how often, presence, slow readers.

use leptos::prelude::*;
use tidegate_protocol::{Definition, JoinRule, PushRate, PushRule, RoleName, TopicPattern};

use super::definition_choices::{JOIN, OVERFLOW, PRESENCE, PUSH, key, options, value};
use super::role_names::{role_line, role_names};
use crate::components::{CheckField, SelectField, TextField};
use crate::format;

/// Roles that one definition may name for joining, and as many for pushing.
const MAX_ROLES: usize = 16;

/// What is typed and chosen, without the pattern.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    join: RwSignal<String>,
    join_roles: RwSignal<String>,
    push: RwSignal<String>,
    push_roles: RwSignal<String>,
    pushes: RwSignal<String>,
    seconds: RwSignal<String>,
    presence: RwSignal<String>,
    relay: RwSignal<bool>,
    stamp: RwSignal<bool>,
    overflow: RwSignal<String>,
    /// Whether the form was sent once: then faults are said.
    tried: RwSignal<bool>,
}

impl Fields {
    pub(super) fn new(definition: &Definition) -> Self {
        let fields = Self {
            join: RwSignal::default(),
            join_roles: RwSignal::default(),
            push: RwSignal::default(),
            push_roles: RwSignal::default(),
            pushes: RwSignal::default(),
            seconds: RwSignal::default(),
            presence: RwSignal::default(),
            relay: RwSignal::default(),
            stamp: RwSignal::default(),
            overflow: RwSignal::default(),
            tried: RwSignal::default(),
        };
        fields.set(definition);
        fields
    }

    /// Shows this definition.
    pub(super) fn set(&self, definition: &Definition) {
        self.join.set(key(&JOIN, &definition.join));
        self.join_roles.set(role_line(&definition.join_roles));
        self.push.set(key(&PUSH, &definition.push));
        self.push_roles.set(role_line(&definition.push_roles));
        let number = |read: fn(PushRate) -> u32| {
            let number = definition.push_rate.map(read);
            number.map_or_else(String::new, |number| number.to_string())
        };
        self.pushes.set(number(|rate| rate.pushes));
        self.seconds.set(number(|rate| rate.seconds));
        self.presence.set(key(&PRESENCE, &definition.presence));
        self.relay.set(definition.relay);
        self.stamp.set(definition.stamp);
        self.overflow.set(key(&OVERFLOW, &definition.overflow));
        self.tried.set(false);
    }

    /// What is to be sent for this pattern; none while a field has a fault, which is said below it
    /// from now on.
    pub(super) fn get(&self, pattern: Option<TopicPattern>) -> Option<Definition> {
        self.tried.set(true);
        untrack(|| {
            Some(Definition {
                pattern,
                join: value(&JOIN, &self.join.get()),
                push: value(&PUSH, &self.push.get()),
                join_roles: self.join_roles().ok()?,
                push_roles: self.push_roles().ok()?,
                push_rate: self.push_rate().ok()?,
                presence: value(&PRESENCE, &self.presence.get()),
                relay: self.relay.get(),
                stamp: self.stamp.get(),
                overflow: value(&OVERFLOW, &self.overflow.get()),
            })
        })
    }

    fn join_roles(&self) -> Result<Vec<RoleName>, String> {
        let decide = self.join.with(|join| value(&JOIN, join)) == JoinRule::Roles;
        self.join_roles.with(|line| roles(line, decide))
    }

    fn push_roles(&self) -> Result<Vec<RoleName>, String> {
        let decide = self.push.with(|push| value(&PUSH, push)) == PushRule::Roles;
        self.push_roles.with(|line| roles(line, decide))
    }

    fn push_rate(&self) -> Result<Option<PushRate>, RateFault> {
        let seconds = |pushes: &String| self.seconds.with(|seconds| push_rate(pushes, seconds));
        self.pushes.with(seconds)
    }

    /// What is wrong with a field, once the form was sent.
    fn fault(self, read: fn(&Self) -> Option<String>) -> Signal<Option<String>> {
        Signal::derive(move || self.tried.get().then(|| read(&self)).flatten())
    }
}

/// The roles in a line; none where something else decides.
fn roles(line: &str, decide: bool) -> Result<Vec<RoleName>, String> {
    if !decide {
        return Ok(Vec::new());
    }
    let roles = role_names(line, MAX_ROLES)?;
    if roles.is_empty() {
        return Err("Name at least one role.".to_owned());
    }
    Ok(roles)
}

/// What is wrong with each of the two numbers of a rate.
#[derive(Debug, Default, PartialEq)]
struct RateFault {
    pushes: Option<String>,
    seconds: Option<String>,
}

/// Two numbers or none.
fn push_rate(pushes: &str, seconds: &str) -> Result<Option<PushRate>, RateFault> {
    let (pushes, seconds) = (pushes.trim(), seconds.trim());
    if pushes.is_empty() && seconds.is_empty() {
        return Ok(None);
    }
    let parts = (
        number(pushes, PushRate::MAX_PUSHES),
        number(seconds, PushRate::MAX_SECONDS),
    );
    match parts {
        (Ok(pushes), Ok(seconds)) => Ok(Some(PushRate { pushes, seconds })),
        (pushes, seconds) => Err(RateFault {
            pushes: pushes.err(),
            seconds: seconds.err(),
        }),
    }
}

fn number(text: &str, most: u32) -> Result<u32, String> {
    let number = text.parse().ok();
    number.filter(|n| (1..=most).contains(n)).ok_or_else(|| {
        let most = format::grouped(most.into());
        format!("A whole number from 1 to {most}.")
    })
}

/// All questions.
#[component]
pub(super) fn Questions(
    /// Their answers.
    fields: Fields,
) -> impl IntoView {
    view! {
        <SelectField name="join" label="Who may join" value=fields.join options=options(&JOIN)/>
        <RolesField
            name="join-roles"
            label="Roles that may join"
            decides=fields.join
            value=fields.join_roles
            error=fields.fault(|fields| fields.join_roles().err())
        />
        <SelectField name="push" label="Who may push" value=fields.push options=options(&PUSH)/>
        <RolesField
            name="push-roles"
            label="Roles that may push"
            decides=fields.push
            value=fields.push_roles
            error=fields.fault(|fields| fields.push_roles().err())
        />
        <fieldset class="rate">
            <legend>"How often one connection may push"</legend>
            <TextField
                name="push-rate-pushes"
                label="Pushes, at most"
                kind="number"
                value=fields.pushes
                error=fields.fault(|fields| fields.push_rate().err()?.pushes)
            />
            <TextField
                name="push-rate-seconds"
                label="In seconds"
                kind="number"
                value=fields.seconds
                error=fields.fault(|fields| fields.push_rate().err()?.seconds)
            />
            <p class="field-note">"Leave both empty for as often as everywhere."</p>
        </fieldset>
        <SelectField
            name="presence"
            label="What members see of each other"
            value=fields.presence
            options=options(&PRESENCE)
        />
        <SelectField
            name="overflow"
            label="A member that reads too slowly"
            value=fields.overflow
            options=options(&OVERFLOW)
        />
        <CheckField label="Relay a client's events to the other members" value=fields.relay/>
        <CheckField label="Publish a client's events with their sender, too" value=fields.stamp/>
    }
}

/// The roles that may do something; asked for where it is said that roles decide.
#[component]
fn RolesField(
    /// Its name.
    name: &'static str,
    /// What stands above it.
    label: &'static str,
    /// Who decides.
    decides: RwSignal<String>,
    /// The line of roles.
    value: RwSignal<String>,
    /// What is wrong with it.
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <Show when=move || decides.with(|decides| decides == "roles")>
            <TextField
                name
                label
                value
                placeholder="editor, night"
                hint="As tokens carry them; several with commas or spaces. Administrators may, too."
                error
            />
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use tidegate_protocol::{Overflow, PresenceMode};

    use super::*;

    #[test]
    fn a_definition_survives_the_form() {
        let owner = Owner::new();
        owner.set();
        let rate = |pushes, seconds| Some(PushRate { pushes, seconds });
        let named = |line: &str| role_names(line, MAX_ROLES).unwrap();
        let pattern = TopicPattern::new("room:*").unwrap();
        let full = Definition {
            pattern: Some(pattern.clone()),
            join: JoinRule::Roles,
            push: PushRule::Roles,
            join_roles: named("editor, night"),
            push_roles: named("editor"),
            push_rate: rate(30, 60),
            presence: PresenceMode::Count,
            relay: true,
            stamp: true,
            overflow: Overflow::LatestOnly,
        };
        full.check().unwrap();
        let plain = Definition {
            pattern: Some(pattern.clone()),
            ..Definition::fallback()
        };
        let fields = Fields::new(&full);
        assert_eq!(fields.get(Some(pattern.clone())), Some(full));
        fields.set(&plain);
        assert_eq!(fields.get(Some(pattern)), Some(plain));
    }

    #[test]
    fn roles_count_where_they_decide() {
        assert_eq!(roles("a b", false), Ok(Vec::new()));
        assert_eq!(roles("a b", true).unwrap().len(), 2);
        assert!(roles(" ", true).is_err());
        let many = |n: usize| (0..n).map(|i| format!("r{i} ")).collect::<String>();
        let definition = Definition {
            pattern: TopicPattern::new("x").ok(),
            join: JoinRule::Roles,
            join_roles: roles(&many(MAX_ROLES), true).unwrap(),
            ..Definition::fallback()
        };
        definition.check().unwrap();
        assert!(roles(&many(MAX_ROLES + 1), true).is_err());
    }

    #[test]
    fn a_rate_is_two_numbers_or_none() {
        assert_eq!(push_rate(" ", ""), Ok(None));
        let rate = push_rate("30", " 60 ").unwrap().unwrap();
        assert_eq!((rate.pushes, rate.seconds), (30, 60));
        let faults = |pushes, seconds| {
            let fault = push_rate(pushes, seconds).unwrap_err();
            (fault.pushes.is_some(), fault.seconds.is_some())
        };
        assert_eq!(faults("30", ""), (false, true));
        assert_eq!(faults("0", "3601"), (true, true));
        assert_eq!(faults("100001", "3600"), (true, false));
        assert_eq!(faults("1.5", "1"), (true, false));
    }
}
