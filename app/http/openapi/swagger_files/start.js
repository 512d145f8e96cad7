const dark = matchMedia("(prefers-color-scheme: dark)");

function followColorScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

// What Swagger UI draws without a good name or out of the keyboard's reach.
const MENDED = [
  ["textarea.body-param__text", "aria-label", "Request body"],
  ["#auth-bearer-value", "aria-label", "API key"],
  ["#auth-bearer-value", "type", "password"],
  ["#auth-bearer-value", "autocomplete", "off"],
  ["input[type=file]", "aria-label", "File to upload"],
  [".examples-select-element", "aria-label", "Example"],
  ["#servers", "aria-label", "Server"],
  [".close-modal", "aria-label", "Close"],
  ["pre.microlight", "tabindex", "0"],
];

function mend() {
  for (const [selector, name, value] of MENDED) {
    for (const element of document.querySelectorAll(`${selector}:not([${name}="${value}"])`)) {
      element.setAttribute(name, value);
    }
  }
  for (const element of document.querySelectorAll("tr[data-param-name] select:not([aria-label])")) {
    element.setAttribute("aria-label", element.closest("tr").dataset.paramName);
  }
  // A link inside of a button is a second stop for the same thing; the button sets the address itself.
  for (const link of document.querySelectorAll(".opblock-summary-control a[href]")) {
    link.removeAttribute("href");
  }
  for (const command of document.querySelectorAll(".curl-command pre")) {
    maskKey(command);
  }
  for (const address of document.querySelectorAll(".request-url pre")) {
    offerPage(address);
  }
}

// On the screen only: what is copied is the command as it works.
function maskKey(command) {
  const texts = document.createTreeWalker(command, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const masked = texts.currentNode.data.replace(/Bearer (?!\*)[^'"\s]+/, "Bearer ********");
    if (masked !== texts.currentNode.data) {
      texts.currentNode.data = masked;
    }
  }
}

// Answers that are pages, by the address that gave them.
const pages = new Map();

function keepPage(response) {
  if ((response.headers["content-type"] || "").startsWith("text/html")) {
    URL.revokeObjectURL(pages.get(response.url));
    pages.set(response.url, URL.createObjectURL(new Blob([response.text], { type: "text/html" })));
  }
  return response;
}

function offerPage(address) {
  const page = pages.get(address.textContent.trim());
  const offered = address.parentElement.querySelector(".open-page");
  if (page === undefined || offered?.href === page) {
    return;
  }
  offered?.remove();
  const link = Object.assign(document.createElement("a"), { className: "open-page", href: page, target: "_blank", textContent: "Open the page" });
  address.after(link);
}

// Swagger UI's own goes through the whole document for each operation that is opened, for seconds. This document refers
// to nothing but its schemas, and says of each operation by itself what it takes and who may ask.
function resolve(value, schemas, within) {
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((one) => resolve(one, schemas, within));
  }
  const { $ref: reference, ...beside } = value;
  if (typeof reference !== "string") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one, schemas, within)]));
  }
  // A schema that holds itself stays a reference, as Swagger UI shows such.
  return within.includes(reference) ? value : { ...resolve(schemas[reference], schemas, [...within, reference]), ...beside };
}

async function resolveSubtree(document, path) {
  const named = Object.entries(document.components.schemas);
  const schemas = Object.fromEntries(named.map(([name, schema]) => [`#/components/schemas/${name}`, schema]));
  const subtree = path.reduce((at, step) => at?.[step], document);
  return { spec: resolve(subtree, schemas, []), errors: [] };
}

followColorScheme();
dark.addEventListener("change", followColorScheme);
new MutationObserver(mend).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });

SwaggerUIBundle({
  url: new URL("docs/shown.json", location.href).pathname, // behind a proxy it lies under the proxy's prefix
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [() => ({ fn: { resolveSubtree } })],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  responseInterceptor: keepPage,
  persistAuthorization: true,
  // Colours make a hundred thousand elements of a results document, and the page stands still for seconds.
  syntaxHighlight: { activated: false },
  tryItOutEnabled: true,
  validatorUrl: null,
});
