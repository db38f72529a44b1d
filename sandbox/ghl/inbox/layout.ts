/** The frame of every page: one style sheet and, on the inbox, one script, both inline. */
import { readFileSync } from 'node:fs'
import { html, type Markup, trusted } from './html.ts'

const style = readFileSync(new URL('inbox.css', import.meta.url), 'utf8')
const script = readFileSync(new URL('inbox.js', import.meta.url), 'utf8')

export function document(title: string, kind: 'plain' | 'inbox', body: Markup): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%232b62f0'/%3E%3Cpath d='M8 10h16v10H15l-4 4v-4H8z' fill='white'/%3E%3C/svg%3E">
<style>${trusted(style)}</style>
</head>
<body class="${kind}">
${body}
${kind === 'inbox' ? html`<script type="module">${trusted(script)}</script>` : undefined}
</body>
</html>`.html
}
