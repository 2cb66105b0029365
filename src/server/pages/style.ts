/** The stylesheet of all pages; a file of its own, so that no page needs a style inside of it. */
export const style = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 22rem; margin: 12vh auto 0; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; border: 1px solid #767676; border-radius: .25rem; }
button { margin-top: 1.5rem; padding: .5rem 1.25rem; font: inherit; border: 0; border-radius: .25rem; background: #1a56b0; color: #fff; cursor: pointer; }
button:focus-visible, input:focus-visible { outline: 3px solid #e8a317; outline-offset: 2px; }
[role="alert"] { margin-top: 1rem; padding: .5rem .75rem; border-left: 4px solid #b3261e; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
`;
