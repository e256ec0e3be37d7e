// Frames of the camera, for the images page and "Try it".

const Quality = 0.92;

/** Throws if there is no camera, or no permission. */
export async function start(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  video.srcObject = stream;
  await video.play();
}

export function stop(video) {
  video?.srcObject?.getTracks().forEach(track => track.stop());
  if (video) video.srcObject = null;
}

/** The current frame as a JPEG file; null if there is none. */
export async function frame(video, name) {
  if (!video.srcObject || video.videoWidth === 0) return null;
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d').drawImage(video, 0, 0);
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', Quality));
  return new File([blob], name, { type: 'image/jpeg' });
}
