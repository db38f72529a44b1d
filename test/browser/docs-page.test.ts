/** /docs as a person meets it. */
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describedServer } from '../../scripts/api-types.ts'
import { type OpenBrowser, openBrowser } from '../support/browser.ts'

let app: FastifyInstance
let url: string
let browser: OpenBrowser
beforeAll(async () => {
  app = await describedServer()
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await app.close()
})

it('lists every route and says what one is for, who may call it and what it answers', async () => {
  const { page, complaints } = await browser.page({ width: 1280, height: 900 })
  await page.goto(`${url}/docs`)
  await page.getByText('What came in a day, and what became of it').click()
  await page.getByText('For the operator, a page of the location').waitFor()
  await page.getByText('No caller: no valid bearer').waitFor()
  await browser.keep(page, 'docs')
  expect(complaints).toEqual([])
})
