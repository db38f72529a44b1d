/** A page with one thing to say. `title` and `text` are ours, never a caller's. */
export const messagePage = (title: string, text: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/assets/pairing.css">
<main class="card"><h1>${title}</h1><p>${text}</p></main>
</html>`
