// Frames of the camera, for the images page and "Try it".

const Quality = 0.92;

const starts = new WeakMap(); // the last start of each video, unless it was stopped since

/** Throws if there is no camera, or no permission. Returns false if the video was stopped, started again or removed while the user was asked. */
export async function start(video) {
  const own = {};
  starts.set(video, own);
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  if (starts.get(video) !== own || !video.isConnected) {
    end(stream);
    return false;
  }
  end(video.srcObject);
  video.srcObject = stream;
  try {
    await video.play();
  } catch (error) {
    if (video.srcObject === stream) stop(video);
    throw error;
  }
  return true;
}

export function stop(video) {
  if (!video) return;
  starts.delete(video);
  end(video.srcObject);
  video.srcObject = null;
}

const end = stream => stream?.getTracks().forEach(track => track.stop());

/** The current frame as a JPEG file; null if there is none. */
export async function frame(video, name) {
  if (!video.srcObject || video.videoWidth === 0) return null;
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d').drawImage(video, 0, 0);
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', Quality));
  return new File([blob], name, { type: 'image/jpeg' });
}
