/** A page with one thing to say, whole in itself. `title` and `text` are ours, never a caller's. */
export const messagePage = (title: string, text: string, language = 'en'): string => `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
:root{color-scheme:light dark}
body{margin:0;min-height:100dvh;display:grid;place-items:center;font:17px/1.5 system-ui,sans-serif;background:light-dark(#f3f5f4,#0f1412);color:light-dark(#17211c,#e6ece9)}
main{box-sizing:border-box;width:min(28rem,calc(100vw - 2rem));padding:1.5rem;border-radius:1rem;background:light-dark(#fff,#181f1c)}
h1{margin:0 0 .25rem;font-size:1.4rem}
</style>
<main><h1>${title}</h1><p>${text}</p></main>
</html>`
