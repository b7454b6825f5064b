"""Scores of models, classical methods and confidences, as tables and panels.

- Photographs: PSNR, SSIM with a uniform 7x7 window, mean absolute error, and LPIPS v0.1 on AlexNet
  and SqueezeNet features, whole images. ``reblur`` is the PSNR between the input and the result
  blurred again by the map that guided it; blur hides errors, so the input's own stands beside it.
  ``no_harm`` is the PSNR between input and result where the true radius is below 0.5 px, at most
  100 dB.
- Differences to the input are taken scene by scene, with Student's 95 % interval: few scenes do not
  resolve 0.1 dB.
- Maps: the affine-invariant errors AIWE(1) and AIWE(2), and 1 - |rank correlation|; where the truth
  is known in px also the mean absolute error, the share within 1 px, and of signed maps the share
  of right signs where the true radius is above 1.5 px. Rendered scenes have two truths: defocus,
  which two views show, and for maps from one image the size of all blur.
- Confidence: its reliability in ten bins, and the mean error by tenths of confidence.
"""
