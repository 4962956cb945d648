// Applies the chosen theme before the first paint. The interface writes the choice.
try {
  const theme = localStorage.getItem("tidegate-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is closed to this page: the system's theme holds.
}
