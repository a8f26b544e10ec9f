// What an integrator's page has: written for the API's paths alone, without knowing about us.

class NotEnoughCredits extends Error {
  constructor(answer) {
    super(answer.error);
    this.missing = answer.credits_needed - answer.credits_balance;
  }
}

class GenerationFailed extends Error {
  constructor(status) {
    super(status.error ? status.error.message : status.status);
    this.code = status.error ? status.error.code : status.status;
    this.refunded = status.credits_refunded;
  }
}

async function makeVideo(token, prompt, { pollEvery = 5000, onStatus = () => {} } = {}) {
  const headers = { Authorization: `Token ${token}`, "Content-Type": "application/json" };
  const response = await fetch("/api/v1/generate/video/", {
    method: "POST",
    headers,
    body: JSON.stringify({ prompt, video_model: "veo3_fast", aspect_ratio: "16:9" }),
  });
  const data = await response.json();
  if (response.status === 402) throw new NotEnoughCredits(data);
  if (!data.success) throw new Error(data.error);

  const generationId = data.data.generation_id;
  for (;;) {
    const poll = await fetch(`/api/v1/generate/${generationId}/`, { headers });
    const status = await poll.json();
    if (!status.success) throw new Error(status.error);
    onStatus(status);
    if (status.status === "completed" && status.video_url) return status;
    if (status.status !== "processing") throw new GenerationFailed(status);
    await new Promise((resolve) => setTimeout(resolve, pollEvery));
  }
}
