import { useMemo } from 'preact/hooks'
import { create } from 'qrcode'
import { useWords } from '../words/spoken.tsx'

/** Clear space around the code; four is the standard's, and cameras need it on a dark page. */
const MARGIN = 4

/** Drawn here from the text that the phone's camera reads. Always dark on light: many cameras know nothing else. */
export function Qr({ text }: { text: string }) {
  const { say } = useWords()
  const { size, path } = useMemo(() => draw(text), [text])
  return (
    <svg
      class="qr"
      role="img"
      aria-label={say('pair.qr.label')}
      data-qr={text}
      viewBox={`${-MARGIN} ${-MARGIN} ${size + 2 * MARGIN} ${size + 2 * MARGIN}`}
    >
      <rect x={-MARGIN} y={-MARGIN} width={size + 2 * MARGIN} height={size + 2 * MARGIN} fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  )
}

/** One path for all dark runs: a thousand elements would make the redraw visible. */
function draw(text: string): { size: number; path: string } {
  const { size, data } = create(text, { errorCorrectionLevel: 'L' }).modules
  const runs: string[] = []
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (data[y * size + x] === 0) continue
      const from = x
      while (x + 1 < size && data[y * size + x + 1] === 1) x += 1
      runs.push(`M${from} ${y}h${x - from + 1}v1h-${x - from + 1}z`)
    }
  }
  return { size, path: runs.join('') }
}
