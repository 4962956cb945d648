// Starts the interface once its program is here. A program that arrives broken (a connection cut
// half way, a proxy's stale copy) is fetched once more past every cache; failing that the page
// says so, for what the server rendered shows no live data by itself.
const script = document.querySelector('link[rel="modulepreload"]').href;
const program = document.querySelector('link[rel="preload"][as="fetch"]').href;

async function start() {
  const module = await import(script);
  try {
    await module.default({ module_or_path: program });
  } catch (error) {
    console.warn("The interface's program arrived broken; it is fetched again.", error);
    await module.default({ module_or_path: fetch(program, { cache: "reload" }) });
  }
  module.hydrate();
}

function tell(error) {
  console.error(error);
  const notice = document.createElement("div");
  notice.className = "start-failed";
  notice.setAttribute("role", "alert");
  const text = document.createElement("p");
  text.textContent =
    "The page could not be started: its program did not arrive whole. " +
    "What you see is how things stood when it was opened.";
  const again = document.createElement("button");
  again.type = "button";
  again.className = "button";
  again.dataset.kind = "primary";
  again.textContent = "Load again";
  again.addEventListener("click", () => location.reload());
  notice.append(text, again);
  document.body.prepend(notice);
}

start().catch(tell);
