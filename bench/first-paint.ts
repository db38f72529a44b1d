/** How long the pages take to their first words, over loopback, in a browser that has never been here. */
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import { Stage } from '../sandbox/stage.ts'
import { type Measurement, percentile } from './measurement.ts'

const VISITS = 9
const BUDGET_MS = 200

export const firstPaint: Measurement = {
  name: 'first-paint',
  async run() {
    const stage = await Stage.set({ env: { LOG_LEVEL: 'warn' } })
    const browser = await playwright.launch({
      executablePath: await chromium.executablePath(),
      args: chromium.args,
      headless: true,
    })
    try {
      await stage.bridge.start()
      const figures = []
      for (const path of ['/app', `/pair/${'A'.repeat(32)}`]) {
        const paints: number[] = []
        // The first visit warms the browser up, not its cache: each visitor has his own.
        for (let visit = 0; visit <= VISITS; visit += 1) {
          const page = await (await browser.newContext()).newPage()
          await page.goto(stage.bridge.url + path)
          const paintMs = await page.evaluate<number>(FIRST_PAINT)
          if (visit > 0) paints.push(paintMs)
        }
        const what = `first contentful paint of ${path.split('/')[1] ?? ''}, p50`
        figures.push({ what, value: percentile(paints, 0.5), unit: 'ms', budget: BUDGET_MS } as const)
      }
      return figures
    } finally {
      await browser.close()
      await stage.strike()
    }
  },
}

/** Resolves with the milliseconds from the navigation's start. */
const FIRST_PAINT = `new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const paint = list.getEntriesByName('first-contentful-paint')[0]
    if (paint) resolve(paint.startTime)
  }).observe({ type: 'paint', buffered: true })
})`
