/**
 * Writes docs/configuration.md and .env.example from src/config.ts, and the pages' API types from the routes.
 * `npm run docs`; a test fails when they are stale.
 */
import { writeFile } from 'node:fs/promises'
import { apiTypes } from './api-types.ts'
import { configurationMarkdown, envExample } from './configuration-docs.ts'

await writeFile(new URL('../docs/configuration.md', import.meta.url), configurationMarkdown())
await writeFile(new URL('../.env.example', import.meta.url), envExample())
await writeFile(new URL('../src/web/api/openapi.d.ts', import.meta.url), await apiTypes())
