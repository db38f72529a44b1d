/** Writes docs/configuration.md and .env.example from src/config.ts. `npm run docs`; a test fails when they are stale. */
import { writeFile } from 'node:fs/promises'
import { configurationMarkdown, envExample } from './configuration-docs.ts'

await writeFile(new URL('../docs/configuration.md', import.meta.url), configurationMarkdown())
await writeFile(new URL('../.env.example', import.meta.url), envExample())
