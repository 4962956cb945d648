//! A listbox of any length with only the visible rows in the document.
//!
//! The row elements are recycled: a fixed number of them, as many as fit and a few more, and each
//! shows the item that has scrolled to its place. Focus stays on the list itself and the active
//! row is named by `aria-activedescendant`, so recycling never loses it. Arrow keys, Page Up and
//! Down, Home and End move the selection.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;

/// Rows above and below the visible ones, so that quick scrolling shows no gap.
const SPARE: usize = 4;

/// Shows `count` rows; `row(i)` draws the i-th and is called again when another item is there.
#[component]
pub fn VirtualList<R>(
    /// A short name, unique on the page; the start of the rows' ids.
    name: &'static str,
    /// What it lists.
    #[prop(into)]
    label: String,
    /// How many rows there are.
    #[prop(into)]
    count: Signal<usize>,
    /// The height of a row in CSS pixels.
    row_height: f64,
    /// The selected row.
    #[prop(into)]
    selected: Signal<Option<usize>>,
    /// Called with a row when it is chosen by pointer or key.
    #[prop(into)]
    on_select: Callback<usize>,
    /// Draws the inside of the row at an index; reads what it needs reactively.
    row: R,
) -> impl IntoView
where
    R: Fn(Signal<usize>) -> AnyView + Copy + Send + Sync + 'static,
{
    let frame = NodeRef::<html::Div>::new();
    let scroll_top = RwSignal::new(0.0_f64);
    let height = RwSignal::new(0.0_f64);

    let first =
        Memo::new(move |_| ((scroll_top.get() / row_height) as usize).saturating_sub(SPARE));
    let slots = Memo::new(move |_| slots_for(height.get(), row_height));

    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(element) = frame.get() {
            crate::browser::on_resize(&element, move |_, h| {
                height.try_set(h);
            });
        }
    });

    let reveal = move |index: usize| {
        let Some(element) = frame.get_untracked() else {
            return;
        };
        let (top, seen) = (element.scroll_top() as f64, element.client_height() as f64);
        if let Some(to) = scroll_to(index, row_height, top, seen) {
            element.set_scroll_top(to as i32);
        }
    };
    let on_key = move |ev: KeyboardEvent| {
        let page = ((height.get_untracked() / row_height) as usize).max(2) - 1;
        let next = step(
            selected.get_untracked(),
            count.get_untracked(),
            page,
            &ev.key(),
        );
        if let Some(next) = next {
            ev.prevent_default();
            on_select.run(next);
            reveal(next);
        }
    };
    let row_id = move |index: usize| format!("{name}-row-{index}");

    view! {
        <div
            class="virtual-list"
            role="listbox"
            tabindex="0"
            aria-label=label
            aria-activedescendant=move || selected.get().map(row_id)
            node_ref=frame
            on:scroll=move |_| {
                if let Some(element) = frame.get_untracked() {
                    scroll_top.set(element.scroll_top() as f64);
                }
            }
            on:keydown=on_key
        >
            <div
                class="virtual-space"
                style:height=move || format!("{}px", count.get() as f64 * row_height)
            >
                <For each=move || 0..slots.get() key=|slot| *slot let(slot)>
                    {
                        // Slot s shows the one index in [first, first + slots) that is s modulo slots,
                        // so scrolling by a row changes one slot only.
                        let index = Memo::new(move |_| {
                            place(slot, first.get(), slots.get())
                        });
                        view! {
                            <div
                                class="virtual-row"
                                role="option"
                                id=move || row_id(index.get())
                                aria-selected=move || (selected.get() == Some(index.get())).to_string()
                                aria-posinset=move || (index.get() + 1).to_string()
                                aria-setsize=move || count.get().to_string()
                                hidden=move || count.get() <= index.get()
                                style:height=format!("{row_height}px")
                                style:transform=move || {
                                    format!("translateY({}px)", index.get() as f64 * row_height)
                                }
                                on:click=move |_| on_select.run(index.get_untracked())
                            >
                                {row(index.into())}
                            </div>
                        }
                    }
                </For>
            </div>
        </div>
    }
}

/// How many row elements a frame of this height needs.
fn slots_for(height: f64, row_height: f64) -> usize {
    if height <= 0.0 {
        0
    } else {
        (height / row_height).ceil() as usize + 1 + 2 * SPARE
    }
}

/// The index that slot `slot` of `slots` shows when `first` is the first one shown.
fn place(slot: usize, first: usize, slots: usize) -> usize {
    let slots = slots.max(1);
    let turn = first / slots * slots + slot;
    if turn < first { turn + slots } else { turn }
}

/// Where a key leads from `at` in a list of `count`.
fn step(at: Option<usize>, count: usize, page: usize, key: &str) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(match (key, at) {
        ("ArrowDown" | "PageDown" | "Home", None) => 0,
        ("ArrowUp" | "PageUp" | "End", None) => last,
        ("ArrowDown", Some(at)) => (at + 1).min(last),
        ("ArrowUp", Some(at)) => at.saturating_sub(1).min(last),
        ("PageDown", Some(at)) => (at + page).min(last),
        ("PageUp", Some(at)) => at.saturating_sub(page).min(last),
        ("Home", _) => 0,
        ("End", _) => last,
        _ => return None,
    })
}

/// The scroll position that shows row `index`, if it is not shown already.
pub(crate) fn scroll_to(index: usize, row_height: f64, top: f64, seen: f64) -> Option<f64> {
    let start = index as f64 * row_height;
    if start < top {
        Some(start)
    } else if start + row_height > top + seen {
        Some(start + row_height - seen)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_index_has_exactly_one_slot() {
        for slots in 1..20 {
            for first in 0..100 {
                let mut shown: Vec<usize> =
                    (0..slots).map(|slot| place(slot, first, slots)).collect();
                shown.sort_unstable();
                assert_eq!(shown, (first..first + slots).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn scrolling_by_a_row_moves_one_slot() {
        let before: Vec<usize> = (0..10).map(|slot| place(slot, 41, 10)).collect();
        let after: Vec<usize> = (0..10).map(|slot| place(slot, 42, 10)).collect();
        assert_eq!(before.iter().zip(&after).filter(|(a, b)| a != b).count(), 1);
    }

    #[test]
    fn keys_stay_inside_the_list() {
        assert_eq!(step(None, 0, 10, "ArrowDown"), None);
        assert_eq!(step(None, 5, 10, "ArrowDown"), Some(0));
        assert_eq!(step(Some(4), 5, 10, "ArrowDown"), Some(4));
        assert_eq!(step(Some(2), 50, 10, "PageDown"), Some(12));
        assert_eq!(step(Some(90), 50, 10, "ArrowUp"), Some(49));
        assert_eq!(step(Some(2), 5, 10, "x"), None);
    }

    #[test]
    fn only_hidden_rows_scroll() {
        assert_eq!(scroll_to(3, 40.0, 0.0, 400.0), None);
        assert_eq!(scroll_to(10, 40.0, 0.0, 400.0), Some(40.0));
        assert_eq!(scroll_to(1, 40.0, 100.0, 400.0), Some(40.0));
    }
}
