/** Pictures made at run time, so that no binary lies in the repository. */
import sharp from 'sharp'

/** A JPEG with a colour and a word on it. */
export async function samplePhoto(word: string, colour: string): Promise<Buffer> {
  const label = `<svg width="640" height="480"><text x="320" y="260" font-size="72" text-anchor="middle" fill="#fff">${word}</text></svg>`
  return await sharp({ create: { width: 640, height: 480, channels: 3, background: colour } })
    .composite([{ input: Buffer.from(label) }])
    .jpeg()
    .toBuffer()
}
