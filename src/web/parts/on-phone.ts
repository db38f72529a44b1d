import { useState } from 'preact/hooks'

/** True where the page is read on a phone: most likely the very one that has WhatsApp. */
export function useOnPhone(): boolean {
  const [isOnPhone] = useState(() => matchMedia('(pointer: coarse) and (max-width: 40rem)').matches)
  return isOnPhone
}
