// Runs before the first paint, so that a chosen theme does not flash. Not a module: those run too late.
(() => {
  try {
    const theme = localStorage.getItem('backtrail.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's choice holds then.
  }
})();
