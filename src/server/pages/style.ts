/** The stylesheet of all pages; a file of its own, so that no page needs a style inside of it. */
export const style = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 26rem; margin: 12vh auto 0; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
h2 { margin: 1.5rem 0 .25rem; font-size: 1.15rem; }
ul { padding-left: 1.25rem; }
li { margin-top: .5rem; overflow-wrap: anywhere; }
p, h1, h2, label, legend, code, summary { overflow-wrap: anywhere; }
legend h2 { margin: 0; }
details { margin: 1.5rem 0; font-size: .875rem; }
summary { cursor: pointer; }
.answers { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }
.answers button { flex: 1 1 8rem; margin: 0; }
fieldset { margin-top: 1rem; border: 1px solid #767676; border-radius: .25rem; }
.help, .account { margin: 0 0 .25rem; font-size: .875rem; }
.choice { margin: .5rem 0; }
.choice input { width: auto; }
.choice label { display: inline; font-weight: 400; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
a.button { display: inline-block; padding: .5rem 1.25rem; border-radius: .25rem; background: #1a56b0; color: #fff; text-decoration: none; }
button.second { margin-top: .25rem; padding: .25rem .75rem; background: #595959; }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; border: 1px solid #767676; border-radius: .25rem; }
button { margin-top: 1.5rem; padding: .5rem 1.25rem; font: inherit; border: 0; border-radius: .25rem; background: #1a56b0; color: #fff; cursor: pointer; }
button:focus-visible, input:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
[role="status"] { margin-top: 1rem; padding: .5rem .75rem; border-left: 4px solid #1b7f3b; }
[role="alert"] { margin-top: 1rem; padding: .5rem .75rem; border-left: 4px solid #b3261e; }
@media (prefers-color-scheme: dark) {
  button:focus-visible, input:focus-visible, a:focus-visible, summary:focus-visible { outline-color: #e8a317; }
  [role="status"] { border-left-color: #4caf6d; }
  [role="alert"] { border-left-color: #f2726a; }
}
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
`;
