using Headstart.Learning.Imaging;
using static TorchSharp.torch;

namespace Headstart.Pretraining;

/// <summary>How the student wants its images: the usual numbers of ImageNet.</summary>
internal static class StudentPreprocessing
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] Std = [0.229f, 0.224f, 0.225f];

    public static Preprocessing At(int size) => new(size, Mean, Std);

    public static Tensor MeanTensor() => tensor(Mean);

    public static Tensor StdTensor() => tensor(Std);
}
