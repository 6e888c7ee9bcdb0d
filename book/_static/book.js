// A page opened from a folder may not read other pages, so a search shows titles there; served, it shows extracts, too.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// The sidebar's toggles are arrows alone: a name for those who do not see them.
document.addEventListener("DOMContentLoaded", () => {
  for (const toggle of document.querySelectorAll(".bd-sidebar-primary summary"))
    toggle.setAttribute("aria-label", "Show or hide the pages below");
});
