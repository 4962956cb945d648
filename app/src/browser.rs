//! Small helpers over web-sys. Each does nothing where the browser lacks what it needs.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement};

const THEME_KEY: &str = "tidegate-theme";

/// Moves the focus to the element with this id.
pub fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        // Refused only for elements that cannot have it.
        let _ = element.focus();
    }
}

/// The chosen theme: `light`, `dark`, or `system`.
pub fn theme() -> &'static str {
    let chosen = document()
        .document_element()
        .and_then(|html| html.get_attribute("data-theme"));
    match chosen.as_deref() {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "system",
    }
}

/// Applies a theme and keeps it for the next visit.
pub fn set_theme(theme: &str) {
    let Some(html) = document().document_element() else {
        return;
    };
    let storage = window().local_storage().ok().flatten();
    // Storage may be closed to us (private windows); the theme then lasts as long as the page.
    if theme == "system" {
        let _ = html.remove_attribute("data-theme");
        let _ = storage.map(|s| s.remove_item(THEME_KEY));
    } else {
        let _ = html.set_attribute("data-theme", theme);
        let _ = storage.map(|s| s.set_item(THEME_KEY, theme));
    }
    if let Ok(event) = web_sys::Event::new("tidegate:theme") {
        let _ = window().dispatch_event(&event);
    }
}

/// Calls `f` when the theme changes, by the toggle or by the system, until the owner is cleaned up.
pub fn on_theme_change(f: impl Fn() + 'static) {
    let f = Rc::new(f);
    let toggled = Rc::clone(&f);
    let handle = window_event_listener_untyped("tidegate:theme", move |_| toggled());
    let media = window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten();
    let listener = Closure::<dyn Fn()>::new(move || f());
    if let Some(media) = &media {
        let _ = media.add_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
    }
    on_local_cleanup(move || {
        handle.remove();
        if let Some(media) = &media {
            let _ = media
                .remove_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
        }
        drop(listener);
    });
}

/// Whether the visitor asked for less motion.
pub fn prefers_reduced_motion() -> bool {
    window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|media| media.matches())
}

/// The value of a custom property of the document, `--accent` for instance.
pub fn token(name: &str) -> String {
    document()
        .document_element()
        .and_then(|html| window().get_computed_style(&html).ok().flatten())
        .and_then(|style| style.get_property_value(name).ok())
        .map(|value| value.trim().to_owned())
        .unwrap_or_default()
}

/// Calls `f` with the element's inner width and height, now and when they change, until the owner
/// is cleaned up.
pub fn on_resize(element: &Element, f: impl Fn(f64, f64) + 'static) {
    let watched = element.clone();
    let callback = Closure::<dyn Fn()>::new(move || {
        f(
            f64::from(watched.client_width()),
            f64::from(watched.client_height()),
        );
    });
    if let Ok(observer) = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()) {
        observer.observe(element);
        on_local_cleanup(move || {
            observer.disconnect();
            drop(callback);
        });
    }
}

/// Puts a text into the clipboard; `false` where the browser does not let the page.
pub async fn copy(text: &str) -> bool {
    let clipboard = get(&window().navigator(), "clipboard");
    // Pages that came over plain HTTP from another machine have none.
    if clipboard.is_undefined() {
        return false;
    }
    let Ok(written) = call(&clipboard, "writeText", &[JsValue::from_str(text)]) else {
        return false;
    };
    match written.dyn_into::<Promise>() {
        Ok(written) => JsFuture::from(written).await.is_ok(),
        Err(_) => false,
    }
}

/// Runs `f` when the owner is cleaned up; for values that must stay in this thread.
pub fn on_local_cleanup(f: impl FnOnce() + 'static) {
    let f = send_wrapper(f);
    on_cleanup(move || {
        if let Some(f) = f.try_update_value(Option::take).flatten() {
            f();
        }
    });
}

fn send_wrapper<F: FnOnce() + 'static>(f: F) -> StoredValue<Option<F>, LocalStorage> {
    StoredValue::new_local(Some(f))
}

/// Loads a script of this origin once and waits until it has run.
pub async fn load_script(src: &str, module: bool) -> Result<(), JsValue> {
    thread_local! {
        static LOADED: RefCell<Vec<(String, Promise)>> = const { RefCell::new(Vec::new()) };
    }
    let known = LOADED.with_borrow(|loaded| {
        loaded
            .iter()
            .find(|(s, _)| s == src)
            .map(|(_, p)| p.clone())
    });
    let promise = match known {
        Some(promise) => promise,
        None => {
            let script = document().create_element("script")?;
            script.set_attribute("src", src)?;
            if module {
                script.set_attribute("type", "module")?;
            }
            let promise = loading(&script)?;
            LOADED.with_borrow_mut(|loaded| loaded.push((src.to_owned(), promise.clone())));
            promise
        }
    };
    let result = JsFuture::from(promise).await.map(drop);
    if result.is_err() {
        LOADED.with_borrow_mut(|loaded| loaded.retain(|(s, _)| s != src));
    }
    result
}

/// Loads a style sheet of this origin once and waits until it applies.
pub async fn load_style(href: &str) -> Result<(), JsValue> {
    if document()
        .query_selector(&format!("link[href='{href}']"))?
        .is_some()
    {
        return Ok(());
    }
    let link = document().create_element("link")?;
    link.set_attribute("rel", "stylesheet")?;
    link.set_attribute("href", href)?;
    JsFuture::from(loading(&link)?).await.map(drop)
}

/// Puts the element into the head; resolves with its `load`, rejects with its `error`.
fn loading(element: &Element) -> Result<Promise, JsValue> {
    let promise = Promise::new(&mut |done: Function, failed: Function| {
        // Adding a listener to an element cannot fail.
        let _ = element.add_event_listener_with_callback("load", &done);
        let _ = element.add_event_listener_with_callback("error", &failed);
    });
    document()
        .head()
        .ok_or_else(|| JsValue::from_str("no head"))?
        .append_child(element)?;
    Ok(promise)
}

/// `target[name]`, or `undefined`.
pub fn get(target: &JsValue, name: &str) -> JsValue {
    Reflect::get(target, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Sets `target[name]`.
pub fn set(target: &JsValue, name: &str, value: impl Into<JsValue>) {
    // Fails only for values that are no objects; callers pass objects that they made.
    let _ = Reflect::set(target, &JsValue::from_str(name), &value.into());
}

/// Calls `target[name](...args)`.
pub fn call(target: &JsValue, name: &str, args: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = get(target, name).dyn_into()?;
    Reflect::apply(&method, target, &args.iter().collect::<Array>())
}
