/** The pairing page. Holds no data: pairing.js opens `<this address>/events` and draws what comes. */
export const pairingPage = (): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Connect WhatsApp</title>
<link rel="stylesheet" href="/assets/pairing.css">
<script type="module" src="/assets/pairing.js"></script>
<main class="card" id="page" data-status="connecting">
  <h1 id="headline" role="status" aria-live="polite">One moment…</h1>
  <p id="explain"></p>
  <div id="qr" role="img" aria-label="QR code to scan with WhatsApp" hidden></div>
  <output id="code" aria-label="Pairing code" hidden></output>
  <ol id="steps" hidden>
    <li>Open WhatsApp on your phone.</li>
    <li>Tap <strong>Settings</strong>, then <strong>Linked devices</strong>, then <strong>Link a device</strong>.</li>
    <li id="last-step"></li>
  </ol>
  <button id="again" hidden>Try again</button>
</main>
</html>`
